import type { ColumnMapping } from '../formats/custom.ts';
import type { FormatName } from '../formats/formats.ts';
import type { Encoding, ImportState } from '../transfer.ts';

/** The URL rules of the service at the time of the upload, see `createDestinationPolicy`. */
export interface ImportUrlRules {
  ownHosts: string[];
  allowsPrivate: boolean;
  maxUrlLength: number;
  schemes: string[];
}

/** An import at the start of its upload. */
export interface NewImport extends ImportUrlRules {
  apiKeyId: number;
  encoding: Encoding;
  format: FormatName | 'auto';
  /** The column mapping, if the client sets one. */
  mapping: ColumnMapping | null;
}

/** The numbers of imported rows, by result. */
export interface ImportCounts {
  rows: number;
  created: number;
  /** Deleted short URLs that were restored. */
  restored: number;
  skipped: number;
  failed: number;
  /** Failed rows that are unreadable. */
  unreadable: number;
}

export interface Import extends NewImport, ImportCounts {
  id: number;
  state: ImportState;
  /** The delimiter of a CSV file. */
  delimiter: string;
  /** The original character set of the file, which is stored as UTF-8; null until it is known. */
  charset: string | null;
  /** The plain names of the columns that are read, with an empty text for others; null until the format is detected. */
  columns: string[] | null;
  ignoredColumns: string[];
  /** Size of the file. */
  bytes: number;
  doneBytes: number;
  doneLines: number;
  /** Values that were dropped or shortened. */
  warnings: number;
  /** Why the import failed. */
  error: string | null;
  createdAt: Date;
  finishedAt: Date | null;
}
