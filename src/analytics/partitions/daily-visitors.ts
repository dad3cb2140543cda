import { type Knex, onlyRow } from '../../storage/postgres/postgres.ts';
import { changing } from './lock.ts';
import { isOn } from './utc-days.ts';

/** Rows that one statement counts: of several short URLs, or a part of one's visitors. */
export interface VisitorSlices {
  rows: number;
  rowsOfOne: number;
}

const isSlice = `url_id > :after and url_id < coalesce(cast(:next as bigint), 9223372036854775807)`;
const visitors = `count(distinct visitor) filter (where not is_bot) as people,
                  count(distinct visitor) filter (where is_bot) as bots`;

/** Writes down how many different visitors each short URL had on a day whose rows change no more, in statements of seconds. Asks
 *  `goOn` after each; "stopped" when told to. What is written stays as it is. */
export async function writeDailyVisitors(
  db: Knex,
  day: string,
  { slices, goOn }: { slices: VisitorSlices; goOn: () => Promise<boolean> },
): Promise<'written' | 'stopped' | 'busy'> {
  for (let after = Number.MIN_SAFE_INTEGER; ;) {
    const next = await findNext(db, day, after, slices.rows);
    const isOne = next === after + 1;
    const written = isOne
      ? await writeOne(db, day, next, { rows: slices.rowsOfOne, goOn })
      : await writeSlice(db, day, after, next);
    if (written !== 'written') return written;
    if (next === undefined) return 'written';
    if (!(await goOn())) return 'stopped';
    after = isOne ? next : next - 1;
  }
}

/** The first short URL whose rows are too many for the slice; undefined: all rows behind `after` are few enough. */
async function findNext(db: Knex, day: string, after: number, limit: number): Promise<number | undefined> {
  const { rows } = await db.raw<{ rows: { url_id: number }[] }>(
    `select url_id from url_analytics where ${isOn(':day')} and url_id > :after order by url_id offset :limit limit 1`,
    { day, after, limit },
  );
  return rows[0]?.url_id;
}

async function writeSlice(db: Knex, day: string, after: number, next: number | undefined) {
  return await changing(db, async (trx) => {
    await trx.raw(
      `insert into url_visitors_daily (url_id, day, people, bots)
       select url_id, :day, ${visitors} from url_analytics where ${isOn(':day')} and ${isSlice} group by url_id
       on conflict do nothing`,
      { day, after, next: next ?? null },
    );
    return 'written' as const;
  });
}

/** The same of one short URL that has very many rows: each visitor is in one of the parts. */
async function writeOne(
  db: Knex,
  day: string,
  urlId: number,
  { rows, goOn }: { rows: number; goOn: () => Promise<boolean> },
) {
  const isOfOne = `${isOn(':day')} and url_id = :urlId`;
  const found = await db.raw<{ rows: { count: number }[] }>(
    `select count(*) as count from url_analytics where ${isOfOne}`,
    { day, urlId },
  );
  const parts = Math.ceil(onlyRow(found).count / rows);
  const sum = { people: 0, bots: 0 };
  for (let part = 0; part < parts; part++) {
    if (!(await goOn())) return 'stopped';
    const counted = await db.raw<{ rows: { people: number; bots: number }[] }>(
      `select ${visitors} from url_analytics where ${isOfOne} and abs(visitor % :parts) = :part`,
      { day, urlId, parts, part },
    );
    sum.people += onlyRow(counted).people;
    sum.bots += onlyRow(counted).bots;
  }
  return await changing(db, async (trx) => {
    // Somebody may have had them forgotten meanwhile.
    await trx.raw(
      `insert into url_visitors_daily (url_id, day, people, bots)
       select :urlId, :day, :people, :bots where exists (select from url_analytics where ${isOfOne})
       on conflict do nothing`,
      { day, urlId, ...sum },
    );
    return 'written' as const;
  });
}
