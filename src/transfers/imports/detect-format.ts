import type { ImportRecord, Position } from '../files/record.ts';
import { type ImportFormat, plainName, readColumns } from '../formats/format.ts';
import { describeSigns, findFormat, findFormats, isKnownColumn, serviceNames } from '../formats/formats.ts';
import type { ImportFile } from './file.ts';
import type { Import } from './import.ts';
import { columnNamesOf } from './parse-row.ts';
import type { ImportStore } from './store.ts';

const start: Position = { bytes: 0, lines: 0 };

/** Most names of ignored columns that are shown. */
const maxShown = 50;
/** A plausible column name, as opposed to a value such as a URL or an address. */
const columnName = /^[\p{L}_][\p{L}\p{N}_ .()#-]{0,63}$/u;

/** Detects and stores the format of an import's file: by the header row of CSV, else by the first record with a known format. Fails the import
 *  and resolves to undefined when the format is unknown. */
export async function detectFormat(
  store: Pick<ImportStore, 'finish' | 'setFormat' | 'findUnfinished'>,
  imported: Import,
  file: ImportFile,
): Promise<Import | undefined> {
  const records = (await file.readNext(start))?.records ?? [];
  // Only the first row of a CSV file has column names.
  const isKnown = (record: ImportRecord) => findFormat(imported, columnNamesOf(record) ?? []);
  const first = imported.encoding === 'csv' ? records[0] : records.find(isKnown);
  const names = first && columnNamesOf(first);
  const found = names && findFormat(imported, names);
  const reason = found
    ? whyAmbiguous(names, found.format)
    : records[0]
      ? whyUnknown(imported, records[0])
      : 'The file contains no rows.';
  if (!found || reason !== undefined) {
    await store.finish(imported.id, reason ?? null);
    return undefined;
  }
  const at = imported.encoding === 'csv' ? first.end : start;
  const detected = { format: found.name, ...sortColumns(names, found.format) };
  await store.setFormat(imported.id, detected, at);
  return await store.findUnfinished(imported.id);
}

/** The plain names of the columns that are read, with an empty text for the others, and the names of the ignored columns. An implausible name
 *  may be a value of the file, so it is counted, not shown. */
function sortColumns(names: string[], format: ImportFormat) {
  const known = new Set(readColumns(format));
  const isRead = (name: string) => known.has(plainName(name));
  const ignored = names.filter((name) => !isRead(name));
  const shown = ignored.filter((name) => columnName.test(name)).slice(0, maxShown);
  const others = ignored.length - shown.length;
  return {
    columns: names.map((name) => (isRead(name) ? plainName(name) : '')),
    ignoredColumns: others === 0 ? shown : [...shown, `(${others} more)`],
  };
}

/** The reason why a column is ambiguous, if one is. */
function whyAmbiguous(names: string[], format: ImportFormat): string | undefined {
  const plain = names.map(plainName);
  const twice = readColumns(format).find((column) => plain.indexOf(column) !== plain.lastIndexOf(column));
  return twice && `The file has two columns named ${twice}. Remove or rename one of them.`;
}

/** Why a file with this first record cannot be imported. Contains only known column names. */
function whyUnknown(imported: Import, record: ImportRecord): string {
  const columns = columnNamesOf(record);
  const required = describeRequired(imported);
  // The upload rejects a CSV file with an unreadable first row.
  if (columns === undefined) return `${required} Its first row must be a JSON object.`;
  const fitting = findFormats(imported, columns);
  if (fitting.length > 1) {
    const names = fitting.map(({ name }) => name).join(', ');
    return `The columns match more than one service: ${names}. Set the service with ?format=.`;
  }
  const mapped = Object.values(imported.mapping ?? {});
  const plain = columns.map(plainName);
  const missing = mapped.filter((column) => !plain.includes(column)).sort();
  if (missing.length > 0) return `The file has no column ${missing.join(', ')} of the mapping.`;
  return `${required} ${describeFound(plain)}`;
}

function describeRequired({ format }: Import): string {
  if (format !== 'auto' && format !== 'custom')
    return `The file must have these columns, in any case and with any punctuation: ${describeSigns(format)}.`;
  return `The columns do not match a known service (${serviceNames.join(', ')}). Set the columns with ?columns=short_code:…,original_url:… instead.`;
}

function describeFound(plain: string[]): string {
  const known = [...new Set(plain.filter(isKnownColumn))];
  const others = plain.length - plain.filter(isKnownColumn).length;
  if (known.length === 0)
    return `It has ${plain.length} columns without a known name: the first row must contain the column names.`;
  return `It has columns: ${known.join(', ')}${others > 0 ? `, and ${others} unknown ones` : ''}.`;
}
