import type { Fields, RowField } from '../rows/row-schema.ts';
import type { Source } from '../rows/values.ts';

/** Columns that identify a format; of an inner list, at least one must exist. */
export type Signs = readonly (string | readonly string[])[];

/** How a service names the fields of a short URL. Column names are in lower case without spaces and punctuation; the fields of an inner object
 *  have both names: `meta.validUntil` is `metavaliduntil`. */
export interface ImportFormat {
  /** Sets of columns. A file has this format if it has all columns of one set. No file of another service contains such a set. */
  signs: readonly Signs[];
  /** Other columns of the service, which are not imported. */
  dropped?: readonly string[];
  /** Whether a row without a short code gets a generated one. Otherwise it is an error, because a generated code would break the link. */
  codeIsOptional?: boolean;
  /** A column that identifies the format if all other columns of the file are known. */
  isKnownBy?: string;
  /** Whether cells of a CSV file have a guard against formulas. */
  cellsAreGuarded?: boolean;
  fields: Partial<Record<RowField, readonly Source[]>>;
}

/** Normalizes a column name: services differ in case, spaces and punctuation. */
export const plainName = (name: string) =>
  name
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]/gu, '');

/** Splits names at spaces. */
export const names = (text: string): string[] => text.trim().split(/\s+/);

/** The value of a row by plain column name. */
export type ValueOf = (column: string) => unknown;

export const columnOf = (source: Source) => (typeof source === 'string' ? source : source.column);

/** The columns that a format reads. */
export const readColumns = ({ fields }: ImportFormat): string[] =>
  Object.values(fields).flatMap((sources) => sources.map(columnOf));

/** Creates a function that reads the fields of rows with these columns, or with any; a field without a value is absent. */
export function createFieldReader(
  { fields }: ImportFormat,
  hasColumn: (column: string) => boolean = () => true,
): (valueOf: ValueOf) => Fields {
  const sourcesOf = (Object.entries(fields) as [RowField, readonly Source[]][])
    .map(([field, sources]) => ({
      field,
      sources: sources.filter((source) => hasColumn(columnOf(source))),
    }))
    .filter(({ sources }) => sources.length > 0);

  return (valueOf) => {
    const found: Fields = {};
    for (const { field, sources } of sourcesOf) {
      for (const source of sources) {
        const value = readSource(source, valueOf(columnOf(source)));
        if (value === undefined) continue;
        found[field] = value;
        break;
      }
    }
    return found;
  };
}

function readSource(source: Source, value: unknown): unknown {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string' && (value.trim() === '' || isSqlNull(value))) return undefined;
  return typeof source === 'string' ? value : source.read(value);
}

/** NULL in text files of `mysql` and `psql`. */
export const isSqlNull = (value: string) => value === '\\N' || value === 'NULL';
