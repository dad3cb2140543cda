import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { StaticFile } from './static-file.ts';

/** Nearly as small as the maximum of 11, in a fifth of the time. */
const brotliQuality = 9;

const compressBrotli = promisify(brotliCompress);
const compressGzip = promisify(gzip);

/** The compressed variants of a file, made outside the event loop. */
export async function compress(content: Buffer): Promise<Pick<StaticFile, 'br' | 'gzip'>> {
  const [br, gz] = await Promise.all([
    compressBrotli(content, { params: { [constants.BROTLI_PARAM_QUALITY]: brotliQuality } }),
    compressGzip(content),
  ]);
  return { br, gzip: gz };
}
