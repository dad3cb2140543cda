const maxLength = 200;

/** A path for the log: at most 200 characters, without its query, in printable ASCII only, because a terminal may interpret other
 *  characters as commands. */
export const toLoggedPath = (path: string): string =>
  path
    .slice(0, maxLength)
    .split('?', 1)[0]!
    .replaceAll(/[^\x21-\x7e]/g, '?');
