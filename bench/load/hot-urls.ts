/** Prefix of the short codes that every window requests repeatedly, from Linkmill and from its baselines. */
export const hotBegin = 'memory';

/** These short codes with their original URLs, as `insertUrls` creates them. */
export const hotUrls: ReadonlyMap<string, string> = new Map(
  Array.from({ length: 200 }, (_, n) => [`${hotBegin}${n}`, `https://example.com/${hotBegin}${n}`]),
);
