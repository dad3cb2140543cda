/** Reasons to report a short URL. */
export const reportReasons = ['phishing', 'malware', 'spam', 'illegal', 'other'] as const;
export type ReportReason = (typeof reportReasons)[number];

/** A report as a visitor submits it. */
export interface NewReport {
  shortCode: string;
  /** The redirect target at the time of the report. */
  originalUrl: string;
  reason: ReportReason;
  comment: string | null;
}

/** A stored report. */
export interface Report extends NewReport {
  id: number;
  createdAt: Date;
  closedAt: Date | null;
  /** ID of the API key that closed it. */
  closedBy: number | null;
}

/** No report has this ID. */
export class ReportNotFound extends Error {
  override readonly name = 'ReportNotFound';

  constructor() {
    super('Report not found.');
  }
}

/** The original URL has no host name that can be blocked, such as an IP address in another notation. */
export class HostNotBlockable extends Error {
  override readonly name = 'HostNotBlockable';

  constructor() {
    super('The original URL has no host name that can be blocked.');
  }
}
