import { createRequire } from 'node:module';

/** Linkmill's version, of package.json: two folders up from `dist/src`, one from `src`. */
export const version: string = loadVersion();

function loadVersion(): string {
  const require = createRequire(import.meta.url);
  const manifest = import.meta.url.includes('/dist/') ? '../../package.json' : '../package.json';
  return (require(manifest) as { version: string }).version;
}
