import { type RowField, rowFields } from '../rows/row-schema.ts';
import { codeIn, passwordIn, tagsIn } from '../rows/values.ts';
import type { Source } from '../rows/values.ts';
import { type ImportFormat, plainName } from './format.ts';

/** The column of each field of a short URL. */
export type ColumnMapping = Partial<Record<RowField, string>>;

/** A column mapping is invalid; the message has the reason. */
export class MappingRejected extends Error {
  override readonly name = 'MappingRejected';
}

/** Common short names of fields. */
const aliases: Readonly<Record<string, RowField>> = { url: 'original_url', code: 'short_code' };

/** Parses a mapping such as `short_code:slug,url:target`: field, colon, column. Throws MappingRejected. */
export function readMapping(text: string): ColumnMapping {
  const mapping: ColumnMapping = {};
  for (const pair of text.split(',')) {
    const [, given = '', column = ''] = /^([^:]*):(.*)$/s.exec(pair) ?? [];
    const name = given.trim().toLowerCase();
    const field = aliases[name] ?? rowFields.find((one) => one === name);
    if (!field)
      throw new MappingRejected(`must have one of these fields before each colon: ${rowFields.join(', ')}`);
    if (plainName(column) === '') throw new MappingRejected(`must name a column for ${field}`);
    if (field in mapping) throw new MappingRejected(`names ${field} twice`);
    mapping[field] = plainName(column);
  }
  if (!mapping.original_url) throw new MappingRejected('must name the column of original_url');
  return mapping;
}

const readers: Partial<Record<RowField, (column: string) => Source[]>> = {
  short_code: codeIn,
  has_password: passwordIn,
  tags: tagsIn,
};

/** The format of a file with a column mapping. */
export function createCustomFormat(mapping: ColumnMapping): ImportFormat {
  const columns = Object.entries(mapping) as [RowField, string][];
  return {
    signs: [columns.map(([, column]) => column)],
    codeIsOptional: true,
    fields: Object.fromEntries(
      columns.map(([field, column]) => [field, readers[field]?.(column) ?? [column]] as const),
    ),
  };
}
