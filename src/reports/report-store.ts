import type { Knex } from '../storage/postgres/postgres.ts';
import type { NewReport, Report } from './report.ts';

/** Maximum number of open reports of a short URL: more contain no new information. */
const maxOpenReports = 20;

const columns = `id, short_code as "shortCode", original_url as "originalUrl", reason, comment, created_at as "createdAt",
  closed_at as "closedAt", closed_by as "closedBy"`;

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
    const { isOpen = null, before = Number.MAX_SAFE_INTEGER, limit } = query;
    const { rows } = await db.raw<{ rows: Report[] }>(
      `select ${columns} from reports
       where id < :before and (cast(:isOpen as boolean) is null or (closed_at is null) = :isOpen)
       order by id desc limit :limit`,
      { isOpen, before, limit },
    );
    return rows;
  },

  async find(id: number): Promise<Report | undefined> {
    const { rows } = await db.raw<{ rows: Report[] }>(`select ${columns} from reports where id = :id`, {
      id,
    });
    return rows[0];
  },

  /** Closes a report; a closed one stays unchanged. */
  async close(id: number, closedBy: number): Promise<Report | undefined> {
    const { rows } = await db.raw<{ rows: Report[] }>(
      `update reports set closed_at = coalesce(closed_at, now()), closed_by = coalesce(closed_by, :closedBy)
       where id = :id returning ${columns}`,
      { id, closedBy },
    );
    return rows[0];
  },
});
