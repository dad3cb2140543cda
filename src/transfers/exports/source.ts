import type { Owner } from '../../urls/store/owner.ts';

/** A value of a cell. */
export type ExportedValue = string | number | boolean | Date | readonly string[] | null;

/** A row of an export; rows are ordered by id. */
export interface ExportedRow {
  id: number;
  /** By column name. */
  values: Record<string, ExportedValue>;
}

/** Which rows are exported; a missing field does not filter. */
export interface ExportFilter {
  short_code?: string | undefined;
  tag?: string | undefined;
  /** ISO 8601 in UTC, inclusive. */
  from?: string | undefined;
  /** ISO 8601 in UTC, exclusive. */
  to?: string | undefined;
}

/** The next rows to read. */
export interface RowQuery {
  /** The id of the previous row. */
  after: number;
  upTo: number;
  /** The owner whose rows are visible; null for all. */
  owner: Owner;
  filter: ExportFilter;
  limit: number;
}

/** The rows of one kind of export; their ids only increase. */
export interface ExportSource {
  columns: readonly string[];
  /** The id of the latest row. */
  findLastId: () => Promise<number>;
  /** About `limit` next rows in the order of their ids, none at the end. Rows with the same id are in the same result. */
  findRows: (query: RowQuery) => Promise<ExportedRow[]>;
}

export const exportKinds = ['urls', 'clicks'] as const;

export type ExportKind = (typeof exportKinds)[number];

/** One source per kind of export. */
export type ExportSources = Readonly<Record<ExportKind, ExportSource>>;
