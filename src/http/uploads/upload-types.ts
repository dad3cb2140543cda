import type { FileKind } from '../../transfers/files/file-kind.ts';

/** File kinds by media type; undefined for generic types, whose kind is detected from the content. */
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

/** Media types of an import's body. */
export const uploadTypes = [...Object.keys(kinds), 'multipart/form-data'] as const;

/** The file kind of a media type; undefined for generic types. */
export const kindOf = (type: string): FileKind | undefined => kinds[type.toLowerCase()];
