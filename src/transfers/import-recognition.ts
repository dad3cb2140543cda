import { isRefusedData } from '../postgres.ts';
import type { ImportFile } from './import-file.ts';
import { findFormat, neededColumns } from './import-formats/formats.ts';
import type { ImportRecord, Position } from './import-records.ts';
import { columnNamesOf } from './import-rows.ts';
import type { Import, ImportStore } from './import-store.ts';

const start: Position = { bytes: 0, lines: 0 };

/** Finds out what an import's file is, by its first row or, where each names its own columns, by the first one that is known, and notes it; undefined, with the import over, when it is nothing that can
 *  be imported. */
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
    const reason =
      records.length === 0
        ? 'The file holds no row.'
        : `The file has not the columns that are needed (${neededColumns(wanted.format)}).`;
    await store.finish(wanted.id, reason);
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
