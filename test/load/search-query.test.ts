import { expect, test } from 'vitest';
import { Overloaded } from '../../src/resilience/overloaded.ts';
import { openPostgres } from '../../src/storage/postgres/postgres.ts';
import { StatementTimeout } from '../../src/storage/postgres/statement-timeout.ts';
import { readFrom } from '../../src/storage/reads/read-pool.ts';
import { createSearchQuery } from '../../src/storage/reads/search-query.ts';
import { track, useDatabase } from '../support/resources.ts';
import { waitUntil } from '../support/wait-until.ts';

const { db, url } = useDatabase();

test('a slow search throws StatementTimeout, and one without a connection throws Overloaded', async () => {
  const closed = track('pool');
  const few = openPostgres({ url: url(), poolMax: 1, queryTimeoutMs: 20_000, name: 'test' });
  const search = createSearchQuery(readFrom(few), 3_000);
  const slow = search('select pg_sleep(60)', {}).catch((error: unknown) => error);
  const isRunning = async () => {
    const { rows } = await db().raw(
      `select from pg_stat_activity where query = 'select pg_sleep(60)' and state = 'active'`,
    );
    return rows.length > 0;
  };
  await waitUntil('the query runs', isRunning);
  await expect(search('select 1', {})).rejects.toThrow(Overloaded);
  expect(await slow).toBeInstanceOf(StatementTimeout);
  expect(await search('select 1 as one', {})).toEqual([{ one: 1 }]);
  await few.destroy();
  closed();
});
