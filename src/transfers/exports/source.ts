import type { Owner } from '../../urls/store/owner.ts';

/** What a cell may hold. */
export type ExportedValue = string | number | boolean | Date | readonly string[] | null;

/** A row to be written down, under the id that its place in the order is known by. */
export interface ExportedRow {
  id: number;
  /** By the names of columns. */
  values: Record<string, ExportedValue>;
}

/** Which rows are wanted; what it does not say holds for all. */
export interface ExportFilter {
  short_code?: string | undefined;
  tag?: string | undefined;
  /** As ISO text in UTC. */
  from?: string | undefined;
  /** Not included. */
  to?: string | undefined;
}

/** Which rows come next. */
export interface RowsWanted {
  /** The id of the last row that was. */
  after: number;
  upTo: number;
  /** Whose rows may be seen. */
  owner: Owner;
  filter: ExportFilter;
  limit: number;
}

/** What exports of one kind are made from: rows with ids that only grow. */
export interface ExportSource {
  columns: readonly string[];
  /** The id of the latest row that there is. */
  findLastId: () => Promise<number>;
  /** The next rows in the order of their ids, `limit` or so; none at the end. All of one id come together. */
  findRows: (wanted: RowsWanted) => Promise<ExportedRow[]>;
}

export const exportKinds = ['urls', 'clicks'] as const;

export type ExportKind = (typeof exportKinds)[number];

/** One for each kind; a missing one does not compile. */
export type ExportSources = Readonly<Record<ExportKind, ExportSource>>;
