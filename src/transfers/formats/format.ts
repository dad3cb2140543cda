import type { RowField } from '../rows/row-schema.ts';
import type { Source } from '../rows/values.ts';

/** Columns that a file has; of an inner list, at least one. */
export type Signs = readonly (string | readonly string[])[];

/** How a service, or this one, names what belongs to a short URL. Columns are written without upper case, spaces and
 *  punctuation, and those of an inner object with both names: `meta.validUntil` is `metavaliduntil`. */
export interface ImportFormat {
  /** Sets of columns. A file has this format if it has all of one set. Each set is large enough that the files of no other
   *  service contain it. */
  signs: readonly Signs[];
  /** Columns that belong to the service, but not to a short URL. */
  dropped?: readonly string[];
  /** Whether a row may leave the short code to us. Elsewhere a missing code is an error: a generated one would break the link. */
  codeIsOptional?: boolean;
  /** Whether a file with this one column has the format if all its other columns are known, too. */
  isKnownBy?: string;
  /** Whether cells of a CSV file are guarded against being taken for formulas. */
  cellsAreGuarded?: boolean;
  fields: Partial<Record<RowField, readonly Source[]>>;
}

/** A column's name without what services spell differently. */
export const plainName = (name: string) =>
  name
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]/gu, '');

/** The names in a text, which spaces separate. */
export const names = (text: string): string[] => text.trim().split(/\s+/);

/** A row's values by the plain names of their columns. */
export type Columns = Map<string, unknown>;

export const columnOf = (source: Source) => (typeof source === 'string' ? source : source.column);

/** The columns from which a format reads. */
export const readColumns = ({ fields }: ImportFormat): string[] =>
  Object.values(fields).flatMap((sources) => sources.map(columnOf));

/** What a row says of each field. A field that the row leaves out is missing. */
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
  if (typeof value === 'string' && (value.trim() === '' || isSqlNull(value))) return undefined;
  return typeof source === 'string' ? value : source.read(value);
}

/** How `mysql` and `psql` write a missing value in a text file. */
export const isSqlNull = (value: string) => value === '\\N' || value === 'NULL';
