import { isStatementCanceled } from '../../storage/postgres/errors.ts';
import { type Knex, onlyRow } from '../../storage/postgres/postgres.ts';
import { type AuditDifference, differencesIn } from './audit.ts';

/** Longest statement of an audit in slices. */
const statementTimeoutMs = 5_000;
/** Slices grow while they take less than this, up to a number of short URLs. */
const quickMs = 500;
const firstSize = 500;
const maxSize = 20_000;

/** Short URLs with IDs above `after` up to `last`: all of them, or those in `ids`. */
interface Slice {
  after: number;
  last: number;
  ids?: number[];
  count: number;
}

/** What has been compared so far. */
export interface AuditProgress {
  /** Short URLs that were compared, of `total`. */
  checked: number;
  total: number;
  /** Short URLs that PostgreSQL needed too long for. */
  skipped: number;
  /** Differences that the latest slice added. */
  found: AuditDifference[];
}

export type AnalyticsSlices = ReturnType<typeof createAnalyticsSlices>;

/** Reads slices of short URLs and their differences; with `since` only of those that were clicked from then on. */
export function createAnalyticsSlices(db: Knex, { since }: { since?: Date | undefined } = {}) {
  /** Each short URL has a row. */
  const rows = () =>
    since ? db('url_stats').where('last_accessed_at', '>=', since) : db('url_stats').where({});
  return {
    countUrls: async (): Promise<number> =>
      onlyRow({ rows: await rows().count<{ count: number }[]>('* as count') }).count,

    /** The next short URLs by ID; undefined without any. */
    async findSlice(after: number, size: number): Promise<Slice | undefined> {
      const ids = await rows()
        .where('url_id', '>', after)
        .orderBy('url_id')
        .limit(size)
        .pluck<number[]>('url_id');
      const last = ids.at(-1);
      return last === undefined ? undefined : { after, last, count: ids.length, ...(since && { ids }) };
    },

    /** Differences of the short URLs of a slice, or that PostgreSQL needed too long. */
    async compare(slice: Pick<Slice, 'after' | 'last' | 'ids'>): Promise<AuditDifference[] | 'timed-out'> {
      try {
        return await db.transaction(
          async (trx) => {
            await trx.raw(`set local statement_timeout = ${statementTimeoutMs}`);
            return await differencesIn(trx, slice);
          },
          { readOnly: true },
        );
      } catch (error) {
        if (isStatementCanceled(error)) return 'timed-out';
        throw error;
      }
    },
  };
}

/** Compares slice by slice, each in a short statement, until `signal` aborts, if given. A transaction writes counters and roll-ups together, so each slice
 *  is exact by itself. */
export async function* compareInSlices(
  slices: AnalyticsSlices,
  signal: AbortSignal = new AbortController().signal,
): AsyncGenerator<AuditProgress> {
  const total = await slices.countUrls();
  let [checked, skipped, size] = [0, 0, firstSize];
  for (let after = 0; !signal.aborted;) {
    const slice = await slices.findSlice(after, size);
    if (slice === undefined) return;
    const begunAt = performance.now();
    const found = await slices.compare(slice);
    if (found === 'timed-out' && slice.count > 1) {
      size = Math.ceil(slice.count / 5);
      continue;
    }
    if (found === 'timed-out') skipped += 1;
    else if (performance.now() - begunAt < quickMs) size = Math.min(maxSize, size * 2);
    checked += slice.count;
    after = slice.last;
    yield { checked, total, skipped, found: found === 'timed-out' ? [] : found };
  }
}
