import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { UrlCursor } from '../../urls/search/list.ts';

const microseconds = z.union([z.iso.datetime({ precision: 6 }), z.enum(['infinity', '-infinity'])]);
const place = z.tuple([
  z.string(),
  z.union([z.int().min(0), microseconds, z.null()]),
  z.int().min(Number.MIN_SAFE_INTEGER),
]);

/** A place in a list as clients carry it: opaque, and good for this list alone, which anything that JSON can show tells apart from
 *  others. It gives no rights: whoever made one up would get a page that is there for the same API key anyhow. */
export function writeCursor({ value, id }: UrlCursor, list: unknown): string {
  return Buffer.from(JSON.stringify([digestOf(list, value, id), value, id])).toString('base64url');
}

/** The place; undefined for a cursor of another list, or what is none. */
export function readCursor(cursor: string, list: unknown): UrlCursor | undefined {
  const parsed = place.safeParse(parse(Buffer.from(cursor, 'base64url').toString()));
  if (!parsed.success) return undefined;
  const [digest, value, id] = parsed.data;
  return digest === digestOf(list, value, id) ? { value, id } : undefined;
}

function digestOf(...content: unknown[]): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('base64url').slice(0, 16);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
