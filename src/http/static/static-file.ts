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

/** Whether files with this name can be served. */
export const hasMediaType = (name: string): boolean => path.extname(name) in types;

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

/** The answer with a file, in the best encoding that the client accepts, or 304 if the client has it. */
export function fileAnswer(ctx: Context, file: StaticFile, cacheControl: string) {
  const encoding = encodings.find((one) => file[one] && ctx.acceptsEncodings(one) === one);
  // Each encoding is a representation of its own, with its own strong entity tag (RFC 9110, 8.8.1).
  const tag = `"${file.hash}${encoding === undefined ? '' : `-${encoding}`}"`;
  ctx.vary('Accept-Encoding');
  const headers = { 'Cache-Control': cacheControl, ETag: tag };
  if (matchesEntityTag(ctx.req.headers['if-none-match'], tag)) return { status: 304 as const, headers };
  return {
    status: 200 as const,
    headers: {
      ...headers,
      'Content-Type': file.type,
      ...(encoding !== undefined && { 'Content-Encoding': encoding }),
    },
    body: file[encoding ?? 'identity']!,
  };
}

/** Answers GET and HEAD with a file. */
export function answerFile(ctx: Context, file: StaticFile, cacheControl: string): void {
  if (ctx.method !== 'GET' && ctx.method !== 'HEAD') throw methodNotAllowed('GET, HEAD');
  const { status, headers, body } = fileAnswer(ctx, file, cacheControl);
  ctx.status = status;
  ctx.set(headers);
  if (body !== undefined) ctx.body = body;
}
