import { readUploadText } from '../../../../src/transfers/files/read-upload-text.ts';
import type { ImportRecord } from '../../../../src/transfers/files/record.ts';
import { findFormat } from '../../../../src/transfers/formats/formats.ts';
import { createImportFile } from '../../../../src/transfers/imports/file.ts';
import { columnNamesOf, createRowReader } from '../../../../src/transfers/imports/parse-row.ts';
import { redactAddresses } from '../../../../src/transfers/imports/redact-addresses.ts';
import type { RowWarning, ImportedUrl } from '../../../../src/transfers/rows/row-schema.ts';
import { UploadRejected } from '../../../../src/transfers/transfer.ts';

/** The content of a file as an import reads it. */
export interface ReadFile {
  /** Undefined if the file is rejected as a whole. */
  format: string | undefined;
  urls: ImportedUrl[];
  warnings: RowWarning[];
  /** Rejected rows. */
  refused: number;
}

const nothing: ReadFile = { format: undefined, urls: [], warnings: [], refused: 0 };

/** Reads a file like an upload and its job, without storing anything. */
export async function readFile(content: Buffer, charset?: string): Promise<ReadFile> {
  const wanted = { kind: undefined, charset, format: 'auto', mapping: null } as const;
  async function* source() {
    for (let at = 0; at < content.length; at += 1_000) yield content.subarray(at, at + 1_000);
  }
  try {
    const { encoding, delimiter, content: text } = await readUploadText(source(), wanted);
    const parts: Buffer[] = [];
    for await (const part of redactAddresses(encoding, text, delimiter)) parts.push(part);
    return readRows(await readRecords(encoding, delimiter, Buffer.concat(parts)), encoding === 'csv');
  } catch (error) {
    if (error instanceof UploadRejected) return nothing;
    throw error;
  }
}

async function readRecords(
  encoding: 'csv' | 'ndjson',
  delimiter: string,
  bytes: Buffer,
): Promise<ImportRecord[]> {
  const read = async (from: number, length: number) => bytes.subarray(from, from + length);
  const file = createImportFile(encoding, bytes.length, read, delimiter);
  const records: ImportRecord[] = [];
  for (let at = { bytes: 0, lines: 0 }; ;) {
    const found = await file.readNext(at);
    if (!found) return records;
    records.push(...found.records);
    at = found.end;
  }
}

function readRows(records: ImportRecord[], isCsv: boolean): ReadFile {
  const wanted = { format: 'auto', mapping: null } as const;
  const names = (isCsv ? records.slice(0, 1) : records).map((record) => columnNamesOf(record) ?? []);
  const columns = names.find((given) => findFormat(wanted, given));
  const found = columns && findFormat(wanted, columns);
  if (!found) return nothing;
  const readRow = createRowReader(
    {
      id: 0,
      format: found.name,
      mapping: null,
      columns,
      ownHosts: [],
      allowsPrivate: false,
      maxUrlLength: 2_048,
      schemes: [],
    },
    () => false,
  );
  const rows = records.slice(isCsv ? 1 : 0).map((record) => readRow(record).parsed);
  return {
    format: found.name,
    urls: rows.flatMap((asks) => ('url' in asks ? asks.url : [])),
    warnings: rows.flatMap((asks) => ('url' in asks ? asks.warnings : [])),
    refused: rows.filter((asks) => 'problems' in asks).length,
  };
}
