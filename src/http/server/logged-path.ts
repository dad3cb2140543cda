const maxLength = 200;

/** A path as it may stand in a log: cut, without its query, and of printable ASCII alone, since what shows logs may take other
 *  characters for orders. */
export const toLoggedPath = (path: string): string =>
  path
    .slice(0, maxLength)
    .split('?', 1)[0]!
    .replaceAll(/[^\x21-\x7e]/g, '?');
