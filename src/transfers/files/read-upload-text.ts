import type { RequestedFormat } from '../formats/formats.ts';
import type { Encoding } from '../transfer.ts';
import { decodeFile } from './charset.ts';
import { findDelimiter } from './delimiter.ts';
import { type FileKind, findKind, rejectBinary } from './file-kind.ts';
import { splitJson } from './json-records.ts';
import { withLineFeeds } from './line-ends.ts';
import { peek } from './parts.ts';
import { readSqlRows } from './sql-records.ts';

/** Bytes of a file that are examined to detect its kind. */
const headBytes = 64 * 1024;

/** What the client states about a file. */
export interface UploadedAs extends RequestedFormat {
  kind: FileKind | undefined;
  charset: string | undefined;
}

/** A file as it is stored: UTF-8, as CSV or NDJSON. */
export interface UploadedText {
  encoding: Encoding;
  delimiter: string;
  /** The original character set, once the file is read. */
  charset: () => string;
  content: AsyncIterable<Buffer>;
}

/** Reads an uploaded file as a stream: detects its kind and converts it to the stored form. Throws UploadRejected for an unsupported file. */
export async function readUploadText(
  source: AsyncIterable<Buffer>,
  given: UploadedAs,
): Promise<UploadedText> {
  const raw = await peek(source, headBytes);
  rejectBinary(raw.head);
  const { content: decoded, charset } = decodeFile(raw.all, raw.head, given.charset);
  const { head, isWhole, all } = await peek(withLineFeeds(decoded), headBytes);
  const kind = findKind(head.toString(), given.kind);
  const asJson = { encoding: 'ndjson', delimiter: ',', charset } as const;
  if (kind === 'ndjson') return { ...asJson, content: all };
  if (kind === 'json') return { ...asJson, content: splitJson(all) };
  if (kind === 'sql') return { ...asJson, content: readSqlRows(all, given) };
  const { delimiter, begin } = findDelimiter(head, isWhole, given);
  const content = begin.length === head.length ? all : withoutBegin(all, head.length - begin.length);
  return { encoding: 'csv', delimiter, charset, content };
}

async function* withoutBegin(source: AsyncIterable<Buffer>, bytes: number): AsyncGenerator<Buffer> {
  let left = bytes;
  for await (const part of source) {
    const rest = part.subarray(left);
    left -= part.length - rest.length;
    if (rest.length > 0) yield rest;
  }
}
