import type { RowField } from '../import-row.ts';

/** A value of a row: from the first of its columns that is there and not empty. */
type Source = string | { column: string; read: (value: unknown) => unknown };

/** How another service, or this one, names what belongs to a short URL. Columns are written without upper case, spaces and
 *  punctuation, and those inside another one with both names: `meta.validUntil` is `metavaliduntil`. */
export interface ImportFormat {
  /** Columns that all are there when a file has this format, and only then. */
  signs: readonly string[];
  /** Whether cells of a CSV file are guarded against being taken for formulas. */
  cellsAreGuarded?: boolean;
  fields: Partial<Record<RowField, readonly Source[]>>;
}

/** A column's name without what services spell differently. */
export const plainName = (name: string) => name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');

/** A row's values by the plain names of their columns. */
export type Columns = Map<string, unknown>;

export const columnOf = (source: Source) => (typeof source === 'string' ? source : source.column);

/** What a row says of each field; of what it does not say there is nothing. */
export function readFields({ fields }: ImportFormat, columns: Columns): Partial<Record<RowField, unknown>> {
  const found = Object.entries(fields).flatMap(([field, sources]) => {
    const values = sources.map((source) => readSource(source, columns));
    const value = values.find((value) => value !== undefined);
    return value === undefined ? [] : [[field, value] as const];
  });
  return Object.fromEntries(found);
}

function readSource(source: Source, columns: Columns): unknown {
  const value = columns.get(columnOf(source));
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string' && value.trim() === '') return undefined;
  return typeof source === 'string' ? value : source.read(value);
}

/** The last part of a short URL's path, which is its code: of `https://sho.rt/code`, `sho.rt/code` or `code`. */
export function codeAtEnd(value: unknown): unknown {
  const [first]: unknown[] = Array.isArray(value) ? value : [value];
  return typeof first === 'string' ? first.replace(/[?#].*$/, '').replace(/^.*\//, '') : first;
}
