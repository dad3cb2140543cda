import { type Knex, boundedTransaction } from '../../storage/postgres/postgres.ts';
import type { ShortUrl } from '../url.ts';
import {
  insertedColumns,
  insertedTypes,
  insertedValues,
  type NewUrl,
  toInsertedRows,
  urlColumns,
} from './columns.ts';
import { idempotencyColumns, recordResults } from './idempotency-key.ts';
import { findSame } from './same-urls.ts';

/** A short URL, and whether it was inserted. */
export interface FoundOrInserted {
  url: ShortUrl;
  isNew: boolean;
}

/** The counters of a short URL that comes from another service. */
export interface InitialClicks {
  clickCount: number;
  lastAccessedAt: Date | null;
}

/** Inserts of short URLs. */
export function createInsertStore(db: Knex) {
  return {
    /** Inserts short URLs and their counters in one statement, which succeeds or fails as a whole. In order; undefined
     *  for each whose code is taken or reserved for another API key. The unique index decides between concurrent
     *  inserts, and the first one within a call wins. Rejects with an error for which isIdempotencyKeyConflict is true
     *  when an idempotency key exists. */
    async insertMany(urls: NewUrl[]): Promise<(ShortUrl | undefined)[]> {
      const { rows } = await db.raw<{ rows: ShortUrl[] }>(insertStatement(urlColumns), {
        rows: toInsertedRows(urls),
      });
      return inOrderOf(urls, rows);
    },

    /** Inserts short URLs as insertMany does, but with these counters, in a transaction of the caller. In order: whether
     *  each was inserted. The complete rows would cost as much time as the insert. */
    async insertCounted(urls: (NewUrl & InitialClicks)[]): Promise<boolean[]> {
      const { rows } = await db.raw<{ rows: Inserted[] }>(
        insertStatement('u.id, u.short_code as "shortCode", u.created_by as "createdBy"', 'select'),
        { rows: toInsertedRows(urls) },
      );
      const inserted = inOrderOf(urls, rows);
      const counters = urls.flatMap(({ clickCount, lastAccessedAt }, i) =>
        inserted[i] ? [{ id: inserted[i].id, clickCount, lastAccessedAt }] : [],
      );
      if (counters.length > 0) {
        await db.raw(
          `insert into url_stats (url_id, click_count, last_accessed_at)
           select * from unnest(cast(:ids as bigint[]), cast(:counts as bigint[]), cast(:times as timestamptz[]))
           -- A trigger adds the row for a connection without this service's name.
           on conflict (url_id) do update set click_count = excluded.click_count, last_accessed_at = excluded.last_accessed_at`,
          {
            ids: counters.map(({ id }) => id),
            counts: counters.map(({ clickCount }) => clickCount),
            times: counters.map(({ lastAccessedAt }) => lastAccessedAt),
          },
        );
      }
      return inserted.map(Boolean);
    },

    /** Returns the oldest equivalent short URL at `now`, or inserts a new one; undefined if its code is taken or
     *  reserved for another API key. Concurrent calls for equivalent short URLs insert one. */
    async findOrInsert(input: NewUrl, now: Date): Promise<FoundOrInserted | undefined> {
      const found = await findSame(db, input, now);
      if (found) return { url: found, isNew: false };
      return await boundedTransaction(db, async (trx) => {
        await trx.raw(
          'select pg_advisory_xact_lock(hashtextextended(:originalUrl, cast(:createdBy as bigint)))',
          { originalUrl: input.originalUrl, createdBy: input.createdBy },
        );
        const inserted = await findSame(trx, input, now);
        if (inserted) return { url: inserted, isNew: false };
        const [url] = await createInsertStore(trx).insertMany([input]);
        return url && { url, isNew: true };
      });
    },
  };
}

/** SQL that inserts the rows `:rows` as `u`, and their counters with `stats`. */
const insertStatement = (returned: string, stats = 'insert into url_stats (url_id) select id from u') => `
  with input as materialized (
    select distinct on (short_code collate "C") *
    from rows from (json_to_recordset(cast(:rows as json)) as (${insertedTypes}))
      with ordinality as input (${insertedColumns}, ${idempotencyColumns}, ordinal)
    where not exists (
      select from reserved_keys r where r.short_code = input.short_code and r.api_key_id <> input.created_by
        and (r.reserved_until is null or r.reserved_until > now())
    ) and not exists (select from url_aliases a where a.short_code = input.short_code)
    -- Ordered, so that concurrent statements do not deadlock.
    order by short_code collate "C", ordinal
  ), u as (
    insert into urls (${insertedColumns}) select ${insertedValues} from input
    on conflict (short_code) do nothing
    returning *
  ), stats as (${stats}), unreserved as (
    delete from reserved_keys where short_code in (select short_code from u)
  ), reused as (
    delete from returned_keys where short_code in (select short_code from u)
  ), recorded as (${recordResults})
  select ${returned} from u`;

type Inserted = Pick<ShortUrl, 'id' | 'shortCode' | 'createdBy'>;

/** Matches inserted rows in JavaScript: a join in PostgreSQL, without row estimates, would compare every pair. */
function inOrderOf<Row extends Inserted>(urls: NewUrl[], rows: Row[]): (Row | undefined)[] {
  const inserted = new Map(rows.map((url) => [identityOf(url), url]));
  return urls.map((input) => {
    const url = inserted.get(identityOf(input));
    inserted.delete(identityOf(input));
    return url;
  });
}

/** Identifies a row to insert by code and API key: with two for one code, a reservation may favour the second. */
const identityOf = ({ shortCode, createdBy }: Omit<Inserted, 'id'>) => `${shortCode} ${createdBy}`;
