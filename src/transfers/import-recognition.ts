import { isRefusedData } from '../postgres.ts';
import type { ImportFile } from './import-file.ts';
import { findFormat, neededColumns } from './import-formats/formats.ts';
import type { ImportRecord, Position } from './import-records.ts';
import { columnNamesOf } from './import-rows.ts';
import type { Import, ImportStore } from './import-store.ts';

const start: Position = { bytes: 0, lines: 0 };

/** Characters of the names of a file's columns that its reader is shown. */
const shownNames = 300;

/** Finds out what an import's file is, by its first row or, where each names its own columns, by the first one that is known, and
 *  notes it; undefined, with the import over, when it is nothing that can be imported. */
export async function recognise(
  store: ImportStore,
  wanted: Import,
  file: ImportFile,
): Promise<Import | undefined> {
  const records = (await file.readOn(start))?.records ?? [];
  // What names the columns of a CSV file is its first row, and nothing else.
  const isRecognised = (record: ImportRecord) => findFormat(wanted.format, columnNamesOf(record) ?? []);
  const first = wanted.encoding === 'csv' ? records[0] : records.find(isRecognised);
  const columns = first && columnNamesOf(first);
  const found = columns && findFormat(wanted.format, columns);
  if (!found) {
    const [record] = records;
    await store.finish(wanted.id, record ? whyUnknown(wanted, record) : 'The file holds no row.');
    return undefined;
  }
  const { name: format, ignoredColumns } = found;
  const at = wanted.encoding === 'csv' ? first.end : start;
  try {
    await store.setFormat(wanted.id, { format, columns, ignoredColumns }, at);
  } catch (error) {
    if (!isRefusedData(error)) throw error;
    await store.finish(wanted.id, 'The names of the columns cannot be stored.');
    return undefined;
  }
  return await store.findUnfinished(wanted.id);
}

/** Why a file that begins with this record cannot be imported. Its columns are written as JSON: there may be anything in them. */
function whyUnknown({ format, encoding }: Import, record: ImportRecord): string {
  const columns = columnNamesOf(record);
  const needed = `The file needs columns named, in any case and with any punctuation, ${neededColumns(format)}.`;
  // The upload takes no CSV file whose first row has none.
  if (columns === undefined) return `${needed} Its first row must be a JSON object.`;
  const found = columns.map((name) => JSON.stringify(name)).join(', ');
  const has = found.length > shownNames ? `${found.slice(0, shownNames)}…` : found || 'none';
  const isSeparatedOtherwise = encoding === 'csv' && columns.length === 1 && /[;\t|]/.test(columns[0]!);
  const hint = isSeparatedOtherwise ? ' Cells must be separated by commas.' : '';
  return `${needed} It has ${has}.${hint}`;
}
