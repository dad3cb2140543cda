import type { FileKind } from '../../transfers/files/file-kind.ts';

/** What clients say that files are. `text/plain`, Excel's type and octets say little: then the file itself tells. */
const kinds: Readonly<Record<string, FileKind | undefined>> = {
  'text/csv': 'csv',
  'application/csv': 'csv',
  'text/tab-separated-values': 'csv',
  'application/vnd.ms-excel': undefined,
  'application/x-ndjson': 'ndjson',
  'application/json': 'json',
  'application/sql': 'sql',
  'text/plain': undefined,
  'application/octet-stream': undefined,
};

/** The types that the body of an import may have. */
export const uploadTypes = [...Object.keys(kinds), 'multipart/form-data'] as const;

/** What a file of this type is; undefined if its type does not say. */
export const kindOf = (type: string): FileKind | undefined => kinds[type.toLowerCase()];
