/** What a file of a service asks for. */
export interface ServiceFile {
  /** The service, as `format` names it. */
  format: string;
  /** What wrote it. */
  source: string;
  type: string;
  content: string;
  /** The short URLs that come of it, with some of their columns. */
  urls: Record<string, unknown>[];
  /** The numbers of the rows that are refused. */
  refused?: number[];
}

/** Lines of a text file. */
export const lines = (...text: string[]) => text.map((line) => `${line}\n`).join('');
