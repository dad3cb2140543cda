import { expect } from 'vitest';
import type { Client } from './client.ts';

/** Reads all pages of a list. */
export async function readPages<Item = Record<string, unknown>>(
  client: Client,
  path: string,
): Promise<{ items: Item[]; pages: number }> {
  const items: Item[] = [];
  let cursor: string | null | undefined;
  let pages = 0;
  do {
    const separator = path.includes('?') ? '&' : '?';
    const { status, body } = await client.get(
      cursor === undefined ? path : `${path}${separator}cursor=${cursor}`,
    );
    expect({ status, body }).toMatchObject({ status: 200, body: { items: expect.any(Array) } });
    items.push(...(body['items'] as Item[]));
    cursor = body['next_cursor'] as string | null;
    pages += 1;
  } while (cursor !== null);
  return { items, pages };
}
