/** Operating systems that bowser misidentifies or does not know. */
const named: [name: string, pattern: RegExp][] = [
  ['Chrome OS', /\bCrOS\b|\bCrosArc\/|\bChromebook\b|\bPixelbook\b/i],
  ['watchOS', /\bwatch ?OS\b|\bWatch\d+,\d/i],
  ['tvOS', /\bApple ?TV\b|\btvOS\b/i],
  ['KaiOS', /\bKaiOS\//i],
  ['HarmonyOS', /\b(?:HarmonyOS|OpenHarmony|ArkWeb)\b/],
  ['PlayStation', /\bPlayStation\b/i],
  ['Nintendo', /\bNintendo\b/],
  ['Roku', /\bRoku/],
  ['WebOS', /\bweb0s\b|\bwebOS\b/i],
  ['Tizen', /\bTizen\b/],
  ['FreeBSD', /\bFreeBSD\b/],
  ['OpenBSD', /\bOpenBSD\b/],
  ['Windows Phone', /\bWindows Phone\b|\bXBLWP7\b/],
  [
    'macOS',
    /\bCFNetwork\/.*(?:x86_64|i386|Macintosh|Mac(?:Book|mini|Pro)|iMac)|\bMac ?OS\/|\bMac OS X Version\b/,
  ],
  ['iOS', /\bCFNetwork\/|\b(?:iPhone ?OS|iPadOS|iOS)[ /_]\d|\bpr\(UCBrowser.*\bov\(|\bdv\(iPh/],
  ['Android', /\bAndr[0o]id\b|\bAdr \d/],
];

export const namedSystems: readonly string[] = named.map(([name]) => name);

/** Returns the operating system when bowser would report a different one; undefined otherwise. */
export function findNamedSystem(header: string): string | undefined {
  return named.find(([, pattern]) => pattern.test(header))?.[0];
}
