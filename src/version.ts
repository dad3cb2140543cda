import { existsSync, readFileSync } from 'node:fs';

/** Linkmill's version, of the package.json above this file, wherever it was built to. */
export const version = readVersion(new URL('./package.json', import.meta.url));

function readVersion(manifest: URL): string {
  if (!existsSync(manifest)) return readVersion(new URL('../package.json', manifest));
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version;
}
