/** A file of a service with the expected result of its import. */
export interface ServiceFile {
  /** The service, by its name in `format`. */
  format: string;
  /** The program that wrote the file. */
  source: string;
  type: string;
  content: string;
  /** The imported short URLs, with some of their columns. */
  urls: Record<string, unknown>[];
  /** The numbers of the rejected rows. */
  refused?: number[];
}

/** Lines of a text file. */
export const lines = (...text: string[]) => text.map((line) => `${line}\n`).join('');
