import { createHash } from 'node:crypto';
import { z } from 'zod';
import { wholeNumberText } from '../../validation/integer.ts';
import { validationFailed } from '../problems/problem.ts';

const maxCursorLength = 1_000;

const invalidCursor = 'must be a cursor of this list';

export const cursorField = z
  .string('must be a string')
  .max(maxCursorLength, invalidCursor)
  .optional()
  .describe('`next_cursor` of the previous page');

export const nextCursorField = z
  .string()
  .nullable()
  .describe('Cursor of the next page; null on the last page');

/** The query parameters of every list. */
export const pageQuery = (limits: { default: number; max: number }) => ({
  limit: wholeNumberText(1, limits.max).default(limits.default).describe('Maximum number of items per page'),
  cursor: cursorField,
});

/** The answer of every list. */
export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item), next_cursor: nextCursorField });

/** Reads one page of rows. `list` is the list with its filters: a cursor of another list is a 422. */
export async function readPage<Row, Position>(
  { cursor, limit }: { cursor?: string | undefined; limit: number },
  source: {
    list: unknown;
    position: z.ZodType<Position>;
    positionOf: (row: Row) => Position;
    /** Up to `limit` rows after a position, or the first ones. */
    read: (after: Position | undefined, limit: number) => Promise<Row[]>;
  },
): Promise<{ rows: Row[]; nextCursor: string | null }> {
  const { list, position, positionOf, read } = source;
  // One row more tells whether there is a next page.
  const rows = await read(readCursor(cursor, list, position), limit + 1);
  const last = rows.length > limit ? rows[limit - 1] : undefined;
  return {
    rows: rows.slice(0, limit),
    nextCursor: last === undefined ? null : writeCursor(positionOf(last), list),
  };
}

/** A position in a list as an opaque string. The digest detects cursors of other lists. It is no secret: a forged cursor gives
 *  access to nothing but other pages of the same list. */
export const writeCursor = (position: unknown, list: unknown): string =>
  Buffer.from(JSON.stringify([digestOf(list, position), position])).toString('base64url');

/** The position of a cursor; undefined without a cursor. Throws a 422 for a cursor of another list. */
export function readCursor<Position>(
  cursor: string | undefined,
  list: unknown,
  position: z.ZodType<Position>,
): Position | undefined {
  if (cursor === undefined) return undefined;
  const parsed = z
    .tuple([z.string(), position])
    .safeParse(parseJson(Buffer.from(cursor, 'base64url').toString()));
  if (!parsed.success || parsed.data[0] !== digestOf(list, parsed.data[1]))
    throw validationFailed([{ field: 'cursor', detail: invalidCursor }]);
  return parsed.data[1];
}

function digestOf(...content: unknown[]): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('base64url').slice(0, 16);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
