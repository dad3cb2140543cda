import { existsSync, readFileSync } from 'node:fs';

/** Linkmill's version, from the nearest package.json above this file: the build is one folder deeper than the source. */
export const version = readVersion(new URL('./package.json', import.meta.url));

function readVersion(manifest: URL): string {
  if (!existsSync(manifest)) return readVersion(new URL('../package.json', manifest));
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version;
}
