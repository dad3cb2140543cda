import type { WantedFormat } from '../formats/formats.ts';
import type { Encoding } from '../transfer.ts';
import { decodeFile } from './charset.ts';
import { findDelimiter } from './delimiter.ts';
import { type FileKind, findKind, refuseBinary } from './file-kind.ts';
import { splitJson } from './json-records.ts';
import { withLineFeeds } from './line-ends.ts';
import { peek } from './parts.ts';
import { readSqlRows } from './sql-records.ts';

/** What of a file is looked at to find out what it is, in bytes. */
const headBytes = 64 * 1024;

/** What the sender of a file says of it. */
export interface UploadedAs extends WantedFormat {
  kind: FileKind | undefined;
  charset: string | undefined;
}

/** A file as it is stored: in UTF-8, CSV or a JSON object per line. */
export interface UploadedText {
  encoding: Encoding;
  delimiter: string;
  /** The character set that it came in, once it is read. */
  charset: () => string;
  content: AsyncIterable<Buffer>;
}

/** Reads a file as it comes, a small part of it at any time: finds out what it is, whatever its sender says, and brings it into
 *  the form in which it is stored. Throws UploadRejected for a file that cannot be read, with the name of what it is. */
export async function readUploadText(
  source: AsyncIterable<Buffer>,
  given: UploadedAs,
): Promise<UploadedText> {
  const raw = await peek(source, headBytes);
  refuseBinary(raw.head);
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
