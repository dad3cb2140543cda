import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import type { BlockedHosts } from '../../urls/blocklist/blocklist.ts';
import type { UploadedText } from '../files/read-upload-text.ts';
import type { ImportRecord, Position } from '../files/record.ts';
import { columnOf } from '../formats/format.ts';
import { findFormat } from '../formats/formats.ts';
import type { ImportedUrl } from '../rows/row-schema.ts';
import { type Encoding, UploadRejected } from '../transfer.ts';
import { detectFormat } from './detect-format.ts';
import { createImportFile } from './file.ts';
import type { Import, NewImport } from './import.ts';
import { createRowReader, type Row, toErrors, toWarnings } from './parse-row.ts';
import type { RowError, StoredWarning } from './report-store.ts';

/** Rows that a preview reads. */
export const previewRows = 1_000;
/** Bytes that a preview reads: 1,000 rows of 2,000 bytes. */
const maxBytes = 2_000_000;
/** Items, problems and warnings that a preview lists. */
const maxListed = 100;
/** Rows that are validated in one turn of the event loop. */
const rowsPerTurn = 10;

/** What an import of a file would do, by its first rows. */
export interface ImportPreview {
  format: Import['format'];
  charset: string;
  rows: number;
  failed: number;
  warningCount: number;
  /** Whether the rows are the whole file. */
  isWhole: boolean;
  /** The plain column name of each field that the file has. */
  mappedColumns: Record<string, string>;
  ignoredColumns: string[];
  items: ImportedUrl[];
  problems: Omit<RowError, 'row'>[];
  warnings: StoredWarning[];
}

/** Reads the first rows of an uploaded file as its import would, and stores nothing. Short codes that are taken are not detected. Throws
 *  UploadRejected with the reason for which the import would fail. */
export async function previewImport(
  request: NewImport,
  { encoding, delimiter, charset }: Pick<UploadedText, 'encoding' | 'delimiter' | 'charset'>,
  { content, isCut }: { content: AsyncIterable<Buffer>; isCut: () => boolean },
  isBlocked: BlockedHosts['isBlocked'],
): Promise<ImportPreview> {
  const { begin, isWhole } = await readBegin(content, isCut);
  const read = async (from: number, length: number) => begin.subarray(from, from + length);
  const file = createImportFile(encoding, begin.length, read, delimiter);
  const known = await detect({ ...emptyImport, ...request, encoding, delimiter, bytes: begin.length }, file);
  const from = { bytes: known.doneBytes, lines: known.doneLines };
  const records = await readRecords(file, from, { isWhole, encoding });
  const readRow = createRowReader(known, isBlocked);
  const rows: Row[] = [];
  for (const [i, record] of records.slice(0, previewRows).entries()) {
    if (i % rowsPerTurn === 0) await yieldToEventLoop();
    rows.push(readRow(record));
  }
  const urls = rows.flatMap(({ parsed }) => ('url' in parsed ? [parsed.url] : []));
  const problems = rows.flatMap((row) =>
    'problems' in row.parsed ? toErrors(row, row.parsed.problems) : [],
  );
  const warnings = rows.flatMap((row) => ('url' in row.parsed ? toWarnings(row, row.parsed.warnings) : []));
  return {
    format: known.format,
    charset: charset(),
    rows: rows.length,
    failed: rows.length - urls.length,
    warningCount: warnings.length,
    isWhole: isWhole && records.length <= previewRows,
    mappedColumns: mappedColumnsOf(known),
    ignoredColumns: known.ignoredColumns,
    items: urls.slice(0, maxListed),
    problems: problems
      .slice(0, maxListed)
      .map(({ line, field, code, reason }) => ({ line, field, code, reason })),
    warnings: warnings.slice(0, maxListed),
  };
}

async function readBegin(
  content: AsyncIterable<Buffer>,
  isCut: () => boolean,
): Promise<{ begin: Buffer; isWhole: boolean }> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of content) {
    parts.push(part);
    bytes += part.length;
    // Leaving the loop ends the upload.
    if (bytes >= maxBytes) return { begin: Buffer.concat(parts), isWhole: false };
  }
  if (bytes === 0) throw new UploadRejected('The file contains no rows.');
  return { begin: Buffer.concat(parts), isWhole: !isCut() };
}

/** Detects the format as the job does, with a store in memory. */
async function detect(imported: Import, file: ReturnType<typeof createImportFile>): Promise<Import> {
  let reason = 'The file contains no rows.';
  let detected: Import | undefined;
  const store: Parameters<typeof detectFormat>[0] = {
    finish: async (_id, error) => {
      reason = error ?? reason;
    },
    setFormat: async (_id, found, at) => {
      detected = { ...imported, ...found, doneBytes: at.bytes, doneLines: at.lines };
    },
    findUnfinished: async () => detected,
  };
  const known = await detectFormat(store, imported, file);
  if (!known) throw new UploadRejected(reason);
  return known;
}

/** The first records, and one more if there is one. The last record of a part of a file may be incomplete. */
async function readRecords(
  file: ReturnType<typeof createImportFile>,
  from: Position,
  { isWhole, encoding }: { isWhole: boolean; encoding: Encoding },
): Promise<ImportRecord[]> {
  const records: ImportRecord[] = [];
  for (let at = from; records.length <= previewRows;) {
    const found = await file.readNext(at);
    if (!found) return isWhole ? records : withoutIncomplete(records, encoding);
    records.push(...found.records);
    at = found.end;
    await yieldToEventLoop();
  }
  return records;
}

/** Without what the cut of a file may have left incomplete: the last row of a CSV file, what is no object at the end of the others. */
function withoutIncomplete(records: ImportRecord[], encoding: Encoding): ImportRecord[] {
  if (encoding === 'csv') return records.slice(0, -1);
  const isObject = ({ content }: ImportRecord) => 'value' in content && typeof content.value === 'object';
  return records.slice(0, records.findLastIndex(isObject) + 1);
}

function mappedColumnsOf(known: Import): Record<string, string> {
  const names = new Set(known.columns);
  const fields = Object.entries(findFormat(known, known.columns ?? [])?.format.fields ?? {});
  return Object.fromEntries(
    fields.flatMap(([field, sources]) => {
      const column = sources.map(columnOf).find((name) => names.has(name));
      return column === undefined ? [] : [[field, column] as const];
    }),
  );
}

const emptyImport: Omit<Import, keyof NewImport> = {
  id: 0,
  state: 'running',
  delimiter: ',',
  charset: null,
  columns: null,
  ignoredColumns: [],
  bytes: 0,
  doneBytes: 0,
  doneLines: 0,
  rows: 0,
  created: 0,
  restored: 0,
  skipped: 0,
  failed: 0,
  unreadable: 0,
  warnings: 0,
  error: null,
  createdAt: new Date(0),
  finishedAt: null,
};
