/** A text as a URL, of `base` where it is relative; undefined where it is none. Not by way of `URL.canParse`: once V8 has
 *  compiled that call, Node 20 says no to letters beyond ASCII. */
export function parseUrl(text: string, base?: string): URL | undefined {
  try {
    return new URL(text, base);
  } catch {
    return undefined;
  }
}
