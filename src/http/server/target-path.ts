/** The path of a request target without its leading slash, one trailing slash, and the query. */
export function shortCodeOf(target: string): string {
  const query = target.indexOf('?');
  const end = query === -1 ? target.length : query;
  return target.slice(1, end > 2 && target[end - 1] === '/' ? end - 1 : end);
}

/** The path of a request target without its leading slash and its query; cheaper than `shortCodeOf`. */
export function rawPathOf(path: string): string {
  const end = path.indexOf('?');
  return end === -1 ? path.slice(1) : path.slice(1, end);
}
