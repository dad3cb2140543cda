import { expect, test } from 'vitest';
import { useDatabase } from '../../support/resources.ts';
import { connectExternalClient } from '../../support/urls/external-client.ts';

const database = useDatabase();

/** Times another program that inserts, updates, deletes and inserts 20,000 short URLs after a first statement. */
async function timeMany(first: string): Promise<number> {
  await database.db().raw('truncate urls cascade');
  const external = await connectExternalClient(database.url());
  try {
    await external.run(first);
    const start = performance.now();
    await external.run(`insert into urls (short_code, original_url)
      select 'bulk-' || n, 'https://example.com/' from generate_series(1, 20000) as n;
      update urls set is_active = false; delete from urls;
      insert into urls (short_code, original_url)
      select 'bulk-' || n, 'https://example.com/' from generate_series(1, 20000) as n`);
    return performance.now() - start;
  } finally {
    await external.close();
  }
}

test('bulk external writes take at most 4 times as long after a few writes cached their plans', async () => {
  const alone = await timeMany('select 1');
  const afterFew =
    await timeMany(`insert into urls (short_code, original_url) values ('code-1', 'https://example.com/');
    update urls set is_active = false; delete from urls`);
  expect(afterFew / alone).toBeLessThan(4);
});
