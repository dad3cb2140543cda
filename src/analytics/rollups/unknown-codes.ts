import type { Log } from '../../log.ts';
import { createPoller } from '../../resilience/poller.ts';
import { withDeadline } from '../../resilience/shutdown.ts';
import { boundedTransaction, type Knex } from '../../storage/postgres/postgres.ts';
import { otherValue } from './daily-values.ts';

/** Maximum number of codes per day, and per process between two flushes; further codes count as `otherValue`. */
export const maxCodes = 1_000;

/** How long `close` waits for PostgreSQL. */
const closeMs = 1_000;

/** Counts requests for unknown short codes per UTC day, and keeps the most requested ones. Counts are held in memory
 *  and written every `flushMs`, to the day of the write. A killed process loses its unwritten counts; a write that
 *  PostgreSQL commits without confirming is counted twice. */
export function createNotFoundCounts({ db, flushMs, log }: { db: Knex; flushMs: number; log: Log }) {
  let requests = new Map<string, number>();
  let writing = Promise.resolve();
  const poller = createPoller({
    everyMs: flushMs,
    run: flush,
    onFailure: (error) => log.debug({ err: error }, 'failed to write requests for unknown codes'),
  });

  function add(shortCode: string, count = 1): void {
    const key = requests.has(shortCode) || requests.size < maxCodes ? shortCode : otherValue;
    requests.set(key, (requests.get(key) ?? 0) + count);
  }

  async function write(): Promise<void> {
    if (requests.size === 0) return;
    const taken = requests;
    requests = new Map();
    try {
      await addUnknownCodes(db, taken);
    } catch (error) {
      for (const [shortCode, count] of taken) add(shortCode, count);
      throw error;
    }
  }

  /** Writes the current counts, after the write in progress. On failure, the counts stay for the next flush. */
  async function flush(): Promise<void> {
    // Who began that write gets its error.
    writing = writing.catch(() => undefined).then(write);
    await writing;
  }

  return {
    /** Counts one request. */
    add: (shortCode: string) => add(shortCode),

    flush,

    /** Writes the last counts, if PostgreSQL is available. */
    async close(): Promise<void> {
      void poller.stop();
      const flushed = flush().catch((error: unknown) =>
        log.debug({ err: error }, 'failed to write the last requests for unknown codes'),
      );
      await withDeadline(flushed, closeMs, () => undefined);
    },
  };
}

const today = `cast(now() at time zone 'UTC' as date)`;

/** Adds to today's counts, and merges the least requested codes beyond `maxCodes`. Locks the row of the merged codes
 *  first, so that processes wait for each other. */
async function addUnknownCodes(db: Knex, requests: Map<string, number>): Promise<void> {
  const codes = [...requests.keys()].filter((code) => code !== otherValue);
  const values = {
    codes,
    requests: codes.map((code) => requests.get(code)!),
    others: requests.get(otherValue) ?? 0,
    otherValue,
    maxCodes,
  };
  await boundedTransaction(db, async (trx) => {
    await trx.raw(
      `insert into unknown_codes_daily as known (day, short_code, requests) values (${today}, :otherValue, :others)
       on conflict (day, short_code) do update set requests = known.requests + excluded.requests`,
      values,
    );
    await trx.raw(
      `insert into unknown_codes_daily as known (day, short_code, requests)
       select ${today}, code, requests from unnest(cast(:codes as text[]), cast(:requests as bigint[])) as added (code, requests)
       on conflict (day, short_code) do update set requests = known.requests + excluded.requests`,
      values,
    );
    await trx.raw(
      `with beyond as (
         delete from unknown_codes_daily where day = ${today} and short_code in (
           select short_code from unknown_codes_daily where day = ${today} and short_code <> :otherValue
           order by requests desc, short_code offset :maxCodes
         ) returning requests
       )
       update unknown_codes_daily set requests = requests + (select sum(requests) from beyond)
       where day = ${today} and short_code = :otherValue and exists (select from beyond)`,
      values,
    );
  });
}
