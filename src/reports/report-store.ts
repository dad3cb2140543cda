import { aliased } from '../storage/postgres/columns.ts';
import type { Knex } from '../storage/postgres/postgres.ts';
import type { NewReport, Report, ReportReason } from './report.ts';

declare module 'knex/types/tables.js' {
  interface Tables {
    reports: {
      id: number;
      short_code: string;
      original_url: string;
      reason: ReportReason;
      comment: string | null;
      created_at: Date;
      closed_at: Date | null;
      closed_by: number | null;
    };
  }
}

/** Maximum number of open reports of a short URL: more contain no new information. */
const maxOpenReports = 20;

const columns = {
  id: 'id',
  shortCode: 'short_code',
  originalUrl: 'original_url',
  reason: 'reason',
  comment: 'comment',
  createdAt: 'created_at',
  closedAt: 'closed_at',
  closedBy: 'closed_by',
} as const;

export type ReportStore = ReturnType<typeof createReportStore>;

/** The table of reports. */
export const createReportStore = (db: Knex) => ({
  /** Stores a report, unless `maxOpenReports` of the short URL are open. Concurrent reports can exceed the limit. */
  async add(report: NewReport): Promise<void> {
    await db.raw(
      `insert into reports (short_code, original_url, reason, comment)
       select cast(:shortCode as text), :originalUrl, :reason, :comment
       where (select count(*) from reports where short_code = :shortCode and closed_at is null) < :maxOpenReports`,
      { ...report, maxOpenReports },
    );
  },

  /** Up to `limit` reports, latest first, with an ID below `before`; `isOpen` undefined for all. */
  async list(query: { isOpen?: boolean; before: number | undefined; limit: number }): Promise<Report[]> {
    const { isOpen, before = Number.MAX_SAFE_INTEGER, limit } = query;
    const reports = db('reports').select(columns).where('id', '<', before).orderBy('id', 'desc').limit(limit);
    if (isOpen === undefined) return await reports;
    return await (isOpen ? reports.whereNull('closed_at') : reports.whereNotNull('closed_at'));
  },

  find: async (id: number): Promise<Report | undefined> => await db('reports').where({ id }).first(columns),

  /** Closes a report; a closed one stays unchanged. */
  async close(id: number, closedBy: number): Promise<Report | undefined> {
    const [report] = await db('reports')
      .where({ id })
      .update({
        closed_at: db.raw('coalesce(closed_at, now())'),
        closed_by: db.raw('coalesce(closed_by, ?)', [closedBy]),
      })
      .returning<Report[]>(aliased(columns));
    return report;
  },
});
