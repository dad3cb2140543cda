import { parseUrl } from '../../validation/parse-url.ts';
import { stripBasePath } from '../base-path.ts';
import { singleSignOnPath } from '../server/operator-paths.ts';

const home = '/admin/';
const maxLength = 1_000;
/** Any origin: only whether the text leaves it counts. */
const origin = 'http://localhost';

/** The path of a screen to open after a sign-in, below the base path. Everything else becomes the first screen: a link cannot send a
 *  person to another site. */
export function readReturnPath(given: string | undefined, basePath: string): string {
  const url = given === undefined || given.length > maxLength ? undefined : parseUrl(given, origin);
  if (url === undefined) return home;
  const path = stripBasePath(url.pathname, basePath);
  const isScreen = url.origin === origin && path.startsWith(home) && !path.startsWith(singleSignOnPath);
  return isScreen ? `${path}${url.search}` : home;
}
