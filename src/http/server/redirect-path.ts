/** The short code that a request asks for: its path without the slash before it, one after it, and the query. */
export function shortCodeOf(target: string): string {
  const query = target.indexOf('?');
  const end = query === -1 ? target.length : query;
  return target.slice(1, end > 2 && target[end - 1] === '/' ? end - 1 : end);
}
