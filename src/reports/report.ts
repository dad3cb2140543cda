/** Why somebody reports a short URL. */
export const reportReasons = ['phishing', 'malware', 'spam', 'illegal', 'other'] as const;
export type ReportReason = (typeof reportReasons)[number];

/** What a visitor says about a short URL. */
export interface NewReport {
  shortCode: string;
  /** Where it leads. */
  originalUrl: string;
  reason: ReportReason;
  comment: string | null;
}

/** A report as the table has it. */
export interface Report extends NewReport {
  id: number;
  createdAt: Date;
  closedAt: Date | null;
  /** The API key that it was closed with. */
  closedBy: number | null;
}

/** There is no report of this id. */
export class ReportNotFound extends Error {
  override readonly name = 'ReportNotFound';
}

/** A browser may find what a reported short URL led to, but it is no name of a host. */
export class HostNotBlockable extends Error {
  override readonly name = 'HostNotBlockable';
}
