import { advisoryLocks } from '../../storage/postgres/advisory-locks.ts';
import { isLockTimeout } from '../../storage/postgres/errors.ts';
import { type Knex, onlyRow } from '../../storage/postgres/postgres.ts';

const lockNumber = advisoryLocks.partitions;
/** How long a partition change waits for its turn, for instance while clicks are rolled up. */
const turnTimeout = '30s';
/** How long it then waits for the locks of tables; clicks queue behind it meanwhile. */
const lockTimeout = '1s';
/** Less than the query timeout of a worker: an abandoned statement must not keep its locks. */
const statementTimeout = '50s';

/** Runs a transaction that changes partitions, counts their visitors or rolls up clicks, one at a time. Resolves to "busy" when it does
 *  not get its locks in time. */
export async function withPartitionLock<T>(db: Knex, work: (trx: Knex) => Promise<T>): Promise<T | 'busy'> {
  try {
    return await db.transaction(async (trx) => {
      await trx.raw(
        `select set_config('lock_timeout', :turnTimeout, true), set_config('statement_timeout', :statementTimeout, true),
                set_config('work_mem', '64MB', true), pg_advisory_xact_lock(:lockNumber)`,
        { turnTimeout, statementTimeout, lockNumber },
      );
      await trx.raw(`select set_config('lock_timeout', :lockTimeout, true)`, { lockTimeout });
      return await work(trx);
    });
  } catch (error) {
    if (isLockTimeout(error)) return 'busy';
    throw error;
  }
}

/** Waits for a partition change or roll-up in progress, and blocks new ones until the transaction ends. Comes before all other locks of a
 *  bounded transaction. */
export async function blockPartitionChanges(trx: Knex): Promise<void> {
  const result = await trx.raw<{ rows: { usual: string }[] }>(
    `select current_setting('lock_timeout') as usual, set_config('lock_timeout', '20s', true), pg_advisory_xact_lock_shared(:lockNumber)`,
    { lockNumber },
  );
  await trx.raw(`select set_config('lock_timeout', :usual, true)`, onlyRow(result));
}

/** Returns the partition name of a UTC day, "2026-11-21". */
export const partitionName = (day: string) => `url_analytics_${day.replaceAll('-', '')}`;

/** Lists all partitions of `url_analytics` by day; `url_analytics_other_days` comes last. */
export async function listPartitions(db: Knex): Promise<string[]> {
  const { rows } = await db.raw<{ rows: { name: string }[] }>(
    `select relname as name from pg_inherits join pg_class on oid = inhrelid
     where inhparent = cast('url_analytics' as regclass) order by 1`,
  );
  return rows.map((row) => row.name);
}

/** Lists the days that have a partition, in ascending order. */
export async function listPartitionDays(db: Knex): Promise<string[]> {
  const names = await listPartitions(db);
  return names.flatMap((name) => {
    const [, year, month, day] = /_(\d{4})(\d\d)(\d\d)$/.exec(name) ?? [];
    return year === undefined ? [] : [`${year}-${month}-${day}`];
  });
}
