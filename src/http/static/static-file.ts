import { createHash } from 'node:crypto';
import path from 'node:path';
import type { Context } from 'koa';
import { matchesEntityTag } from '../etags.ts';
import { methodNotAllowed } from '../problems/problem.ts';

/** The content encodings of static files, the smallest first. */
const encodings = ['br', 'gzip'] as const;

/** A file in memory, with compressed variants. */
export interface StaticFile {
  /** Media type with its character set. */
  type: string;
  /** Digest of the content; part of its `ETag`. */
  hash: string;
  identity: Buffer;
  br?: Buffer | undefined;
  gzip?: Buffer | undefined;
}

const types: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.webmanifest': 'application/manifest+json',
};

/** A static file of this name. Throws for an extension without a media type. */
export function createStaticFile(
  name: string,
  identity: Buffer,
  compressed: Pick<StaticFile, 'br' | 'gzip'> = {},
): StaticFile {
  const type = types[path.extname(name)];
  if (type === undefined) throw new Error(`static file ${name} has an unknown extension`);
  const hash = createHash('sha256').update(identity).digest('base64url').slice(0, 16);
  return { type, hash, identity, ...compressed };
}

/** `Cache-Control` of a file whose name or query contains the hash of its content. */
export const immutable = 'public, max-age=31536000, immutable';
/** `Cache-Control` of a file that is validated by its `ETag` on each use. */
export const revalidated = 'no-cache';

/** Answers GET and HEAD with a file, in the best encoding that the client accepts, or with 304. */
export function answerFile(ctx: Context, file: StaticFile, cacheControl: string): void {
  if (ctx.method !== 'GET' && ctx.method !== 'HEAD') throw methodNotAllowed('GET, HEAD');
  const encoding = encodings.find((one) => file[one] && ctx.acceptsEncodings(one) === one);
  // Each encoding is a representation of its own, with its own strong entity tag (RFC 9110, 8.8.1).
  const tag = `"${file.hash}${encoding === undefined ? '' : `-${encoding}`}"`;
  ctx.set({ 'Cache-Control': cacheControl, ETag: tag });
  ctx.vary('Accept-Encoding');
  if (matchesEntityTag(ctx.req.headers['if-none-match'], tag)) {
    ctx.status = 304;
    return;
  }
  ctx.status = 200;
  ctx.set('Content-Type', file.type);
  if (encoding !== undefined) ctx.set('Content-Encoding', encoding);
  ctx.body = file[encoding ?? 'identity'];
}
