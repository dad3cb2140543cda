/** Longest query that is forwarded, in characters. */
const maxLength = 2_048;

/** Appends a visitor's query (without "?") to the query of a URL, before its fragment. An empty query, and one longer than 2,048
 *  characters, is not appended. Characters that are not allowed in a header or a URL are percent-encoded. */
export function forwardQuery(url: string, query: string): string {
  const added = toQuery(query);
  if (added === '' || added.length > maxLength) return url;
  const fragmentAt = url.indexOf('#');
  const [target, fragment] =
    fragmentAt === -1 ? [url, ''] : [url.slice(0, fragmentAt), url.slice(fragmentAt)];
  return `${target}${separatorAfter(target)}${added}${fragment}`;
}

/** Each character of the query is one byte of the request line (latin1). */
const toQuery = (query: string) =>
  query.replaceAll(
    /[^!-~]|[#"<>]/g,
    (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );

function separatorAfter(target: string): string {
  if (!target.includes('?')) return '?';
  return /[?&]$/.test(target) ? '' : '&';
}

/** The query of a request target, without "?" and without a fragment. */
export function queryOf(target: string): string {
  const [path] = target.split('#', 1);
  const begin = path!.indexOf('?');
  return begin === -1 ? '' : path!.slice(begin + 1);
}
