import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { createStaticFile, type StaticFile } from './static-file.ts';

/** Nearly as small as the maximum of 11, in a fifth of the time. */
const brotliQuality = 9;

/** Reads a file of an installed package on the first call, and compresses it once, outside the event loop. */
export function readPackageFile(packageName: string, name: string): () => Promise<StaticFile> {
  const folder = path.dirname(createRequire(import.meta.url).resolve(`${packageName}/package.json`));
  let file: Promise<StaticFile> | undefined;
  return async () => {
    file ??= load(path.join(folder, name));
    // A failure is not kept: the next request reads again.
    file.catch(() => (file = undefined));
    return await file;
  };
}

async function load(file: string): Promise<StaticFile> {
  const content = await readFile(file);
  const [br, gz] = await Promise.all([
    promisify(brotliCompress)(content, { params: { [constants.BROTLI_PARAM_QUALITY]: brotliQuality } }),
    promisify(gzip)(content),
  ]);
  return createStaticFile(path.basename(file), content, { br, gzip: gz });
}
