import { type Knex, onlyRow } from '../../storage/postgres/postgres.ts';
import { withPartitionLock } from './partition-ddl.ts';
import { isOnDay } from './utc-days.ts';

/** Maximum rows per statement: over several short URLs, and of one short URL. */
export interface VisitorSlices {
  rows: number;
  rowsPerUrl: number;
}

const isSlice = `url_id > :after and url_id < coalesce(cast(:next as bigint), 9223372036854775807)`;
const visitorCounts = `count(distinct visitor) filter (where not is_bot) as people,
                  count(distinct visitor) filter (where is_bot) as bots`;

/** Stores the number of distinct visitors of each short URL on a day whose rows no longer change, in statements of
 *  seconds. Calls `shouldContinue` after each; resolves to "stopped" when it returns false. Stored counts are final. */
export async function writeDailyVisitors(
  db: Knex,
  day: string,
  { slices, shouldContinue }: { slices: VisitorSlices; shouldContinue: () => Promise<boolean> },
): Promise<'written' | 'stopped' | 'busy'> {
  for (let after = Number.MIN_SAFE_INTEGER; ;) {
    const next = await findNext(db, day, after, slices.rows);
    const isSingleUrl = next === after + 1;
    const written = isSingleUrl
      ? await writeSingleUrl(db, day, next, { rows: slices.rowsPerUrl, shouldContinue })
      : await writeSlice(db, day, after, next);
    if (written !== 'written') return written;
    if (next === undefined) return 'written';
    if (!(await shouldContinue())) return 'stopped';
    after = isSingleUrl ? next : next - 1;
  }
}

/** Returns the first short URL that does not fit into the slice; undefined when all remaining rows fit. */
async function findNext(db: Knex, day: string, after: number, limit: number): Promise<number | undefined> {
  const { rows } = await db.raw<{ rows: { url_id: number }[] }>(
    `select url_id from url_analytics where ${isOnDay(':day')} and url_id > :after order by url_id offset :limit limit 1`,
    { day, after, limit },
  );
  return rows[0]?.url_id;
}

async function writeSlice(db: Knex, day: string, after: number, next: number | undefined) {
  return await withPartitionLock(db, async (trx) => {
    await trx.raw(
      `insert into url_visitors_daily (url_id, day, people, bots)
       select url_id, :day, ${visitorCounts} from url_analytics where ${isOnDay(':day')} and ${isSlice} group by url_id
       on conflict do nothing`,
      { day, after, next: next ?? null },
    );
    return 'written' as const;
  });
}

/** Counts the visitors of one short URL with very many rows, in parts: each visitor ID is in one part only. */
async function writeSingleUrl(
  db: Knex,
  day: string,
  urlId: number,
  { rows, shouldContinue }: { rows: number; shouldContinue: () => Promise<boolean> },
) {
  const isOfUrl = `${isOnDay(':day')} and url_id = :urlId`;
  const found = await db.raw<{ rows: { count: number }[] }>(
    `select count(*) as count from url_analytics where ${isOfUrl}`,
    { day, urlId },
  );
  const parts = Math.ceil(onlyRow(found).count / rows);
  const sum = { people: 0, bots: 0 };
  for (let part = 0; part < parts; part++) {
    if (!(await shouldContinue())) return 'stopped';
    const counted = await db.raw<{ rows: { people: number; bots: number }[] }>(
      `select ${visitorCounts} from url_analytics where ${isOfUrl} and abs(visitor % :parts) = :part`,
      { day, urlId, parts, part },
    );
    sum.people += onlyRow(counted).people;
    sum.bots += onlyRow(counted).bots;
  }
  return await withPartitionLock(db, async (trx) => {
    // The clicks may have been erased meanwhile.
    await trx.raw(
      `insert into url_visitors_daily (url_id, day, people, bots)
       select :urlId, :day, :people, :bots where exists (select from url_analytics where ${isOfUrl})
       on conflict do nothing`,
      { day, urlId, ...sum },
    );
    return 'written' as const;
  });
}
