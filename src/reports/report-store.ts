import type { Knex } from '../storage/postgres/postgres.ts';
import type { NewReport, Report } from './report.ts';

/** Reports of one short URL that may be open at once: more would tell nobody anything new. */
const maxOpenReports = 20;

const columns = `id, short_code as "shortCode", original_url as "originalUrl", reason, comment, created_at as "createdAt",
  closed_at as "closedAt", closed_by as "closedBy"`;

export type ReportStore = ReturnType<typeof createReportStore>;

/** The table of reports. */
export const createReportStore = (db: Knex) => ({
  /** Stores a report, unless as many of the same short URL are open as may be; some more where they come at once. */
  async add(report: NewReport): Promise<void> {
    await db.raw(
      `insert into reports (short_code, original_url, reason, comment)
       select cast(:shortCode as text), :originalUrl, :reason, :comment
       where (select count(*) from reports where short_code = :shortCode and closed_at is null) < :maxOpenReports`,
      { ...report, maxOpenReports },
    );
  },

  /** So many reports, the latest first, those before an id; `isOpen` undefined for all. */
  async list(wanted: { isOpen?: boolean; before: number; limit: number }): Promise<Report[]> {
    const { isOpen = null, before, limit } = wanted;
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

  /** Closes a report; one that is closed stays as it is. */
  async close(id: number, closedBy: number): Promise<Report | undefined> {
    const { rows } = await db.raw<{ rows: Report[] }>(
      `update reports set closed_at = coalesce(closed_at, now()), closed_by = coalesce(closed_by, :closedBy)
       where id = :id returning ${columns}`,
      { id, closedBy },
    );
    return rows[0];
  },
});
