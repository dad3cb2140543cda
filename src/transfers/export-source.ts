import type { Owner } from '../urls/owner.ts';

/** What a cell may hold. */
export type ExportedValue = string | number | boolean | Date | readonly string[] | null;

/** A row to be written down, under the id that its place in the order is known by. */
export interface ExportedRow {
  id: number;
  /** By the names of columns. */
  values: Record<string, ExportedValue>;
}

/** What exports of one kind are made from: rows with ids that only grow. */
export interface ExportSource {
  columns: readonly string[];
  /** The id of the latest row that there is. */
  findLastId: () => Promise<number>;
  /** Up to `limit` rows with ids above `after` and up to `upTo`, in their order, of those that an owner may see. */
  findRows: (after: number, upTo: number, owner: Owner, limit: number) => Promise<ExportedRow[]>;
}

export const exportKinds = ['urls'] as const;

export type ExportKind = (typeof exportKinds)[number];

/** One for each kind; a missing one does not compile. */
export type ExportSources = Readonly<Record<ExportKind, ExportSource>>;
