/** Longest query that is forwarded, in characters. */
const maxLength = 2_048;

/** A URL with a visitor's query (without "?") behind its own and before its fragment; without it when there is none, or it is
 *  longer than 2,048 characters. Nothing else of the URL changes, whatever the query is: what no header and no URL can carry
 *  is encoded. */
export function forwardQuery(url: string, query: string): string {
  const added = toQuery(query);
  if (added === '' || added.length > maxLength) return url;
  const fragmentAt = url.indexOf('#');
  const [target, fragment] =
    fragmentAt === -1 ? [url, ''] : [url.slice(0, fragmentAt), url.slice(fragmentAt)];
  return `${target}${separatorAfter(target)}${added}${fragment}`;
}

/** Each of its characters is a byte of the request line. */
const toQuery = (query: string) =>
  query.replaceAll(
    /[^!-~]|[#"<>]/g,
    (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );

function separatorAfter(target: string): string {
  if (!target.includes('?')) return '?';
  return /[?&]$/.test(target) ? '' : '&';
}

/** The query of a request's target, without its "?" and what follows a "#". */
export function queryOf(target: string): string {
  const [path] = target.split('#', 1);
  const begin = path!.indexOf('?');
  return begin === -1 ? '' : path!.slice(begin + 1);
}
