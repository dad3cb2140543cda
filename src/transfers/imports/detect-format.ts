import type { ImportRecord, Position } from '../files/records.ts';
import { type ImportFormat, plainName, readColumns } from '../formats/format.ts';
import { describeSigns, findFormat, findFormats, isKnownColumn, serviceNames } from '../formats/formats.ts';
import type { ImportFile } from './file.ts';
import { columnNamesOf } from './parse-row.ts';
import type { Import, ImportStore } from './store.ts';

const start: Position = { bytes: 0, lines: 0 };

/** Names of ignored columns that are shown. */
const maxShown = 50;
/** What may be the name of a column: a value of the file that stands in its place is none, be it a URL or an address. */
const columnName = /^[\p{L}_][\p{L}\p{N}_ .()#-]{0,63}$/u;

/** Finds out what an import's file is, by its first row or, where each names its own columns, by the first one that is known, and
 *  notes it; undefined, with the import ended, if it is nothing that can be imported. */
export async function recognise(
  store: ImportStore,
  wanted: Import,
  file: ImportFile,
): Promise<Import | undefined> {
  const records = (await file.readOn(start))?.records ?? [];
  // What names the columns of a CSV file is its first row, and nothing else.
  const isRecognised = (record: ImportRecord) => findFormat(wanted, columnNamesOf(record) ?? []);
  const first = wanted.encoding === 'csv' ? records[0] : records.find(isRecognised);
  const names = first && columnNamesOf(first);
  const found = names && findFormat(wanted, names);
  const reason = found
    ? whyAmbiguous(names, found.format)
    : records[0]
      ? whyUnknown(wanted, records[0])
      : 'The file holds no row.';
  if (!found || reason !== undefined) {
    await store.finish(wanted.id, reason ?? null);
    return undefined;
  }
  const at = wanted.encoding === 'csv' ? first.end : start;
  const noted = { format: found.name, ...sortColumns(names, found.format) };
  await store.setFormat(wanted.id, noted, at);
  return await store.findUnfinished(wanted.id);
}

/** The columns that are read, by their plain names and with nothing in place of the others, and the names of those that are not.
 *  A name that is none may be a value of the file: it is counted, not repeated. */
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

/** Why it cannot be told which column is meant. */
function whyAmbiguous(names: string[], format: ImportFormat): string | undefined {
  const plain = names.map(plainName);
  const twice = readColumns(format).find((column) => plain.indexOf(column) !== plain.lastIndexOf(column));
  return twice && `The file has two columns named ${twice}. Remove or rename one of them.`;
}

/** Why a file that begins with this record cannot be imported. It repeats only names of columns that are known. */
function whyUnknown(wanted: Import, record: ImportRecord): string {
  const columns = columnNamesOf(record);
  const needed = whatIsNeeded(wanted);
  // The upload takes no CSV file whose first row has none.
  if (columns === undefined) return `${needed} Its first row must be a JSON object.`;
  const fitting = findFormats(wanted, columns);
  if (fitting.length > 1) {
    const names = fitting.map(({ name }) => name).join(', ');
    return `The columns are those of more than one service: ${names}. Name it with ?format=.`;
  }
  const mapped = Object.values(wanted.mapping ?? {});
  const plain = columns.map(plainName);
  const missing = mapped.filter((column) => !plain.includes(column)).sort();
  if (missing.length > 0)
    return `The file has no column named ${missing.join(', ')}, which the mapping names.`;
  return `${needed} ${describeFound(plain)}`;
}

function whatIsNeeded({ format }: Import): string {
  if (format !== 'auto' && format !== 'custom')
    return `The file needs columns named, in any case and with any punctuation, ${describeSigns(format)}.`;
  return `The columns are those of no service whose files are known (${serviceNames.join(', ')}). Name the columns with ?columns=short_code:…,original_url:… instead.`;
}

function describeFound(plain: string[]): string {
  const known = [...new Set(plain.filter(isKnownColumn))];
  const others = plain.length - plain.filter(isKnownColumn).length;
  if (known.length === 0)
    return `It has ${plain.length} columns, none of which has a known name: the first row must hold the names of the columns.`;
  return `It has columns: ${known.join(', ')}${others > 0 ? `, and ${others} that are not known` : ''}.`;
}
