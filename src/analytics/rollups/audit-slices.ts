import { isStatementCanceled } from '../../storage/postgres/errors.ts';
import { type Knex, onlyRow } from '../../storage/postgres/postgres.ts';
import { type AuditDifference, differencesIn } from './audit.ts';

/** Longest statement of an audit in slices. */
const statementTimeoutMs = 5_000;

export type AnalyticsSlices = ReturnType<typeof createAnalyticsSlices>;

/** The audit of the analytics in slices of short URLs, each in a short statement. A transaction writes counters and roll-ups together, so each
 *  slice is exact by itself. */
export const createAnalyticsSlices = (db: Knex) => ({
  countUrls: async (): Promise<number> =>
    onlyRow({ rows: await db('urls').count<{ count: number }[]>('* as count') }).count,

  /** The next short URLs by ID: the ID of the last one, and their number; undefined without any. */
  async findSlice(after: number, size: number): Promise<{ last: number; count: number } | undefined> {
    const ids = await db('urls').where('id', '>', after).orderBy('id').limit(size).pluck<number[]>('id');
    const last = ids.at(-1);
    return last === undefined ? undefined : { last, count: ids.length };
  },

  /** Differences of the short URLs with IDs above `after` up to `last`, or that PostgreSQL needed too long. */
  async compare(after: number, last: number): Promise<AuditDifference[] | 'timed-out'> {
    try {
      return await db.transaction(
        async (trx) => {
          await trx.raw(`set local statement_timeout = ${statementTimeoutMs}`);
          return await differencesIn(trx, { after, last });
        },
        { readOnly: true },
      );
    } catch (error) {
      if (isStatementCanceled(error)) return 'timed-out';
      throw error;
    }
  },
});
