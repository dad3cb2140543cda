import type { IncomingMessage } from 'node:http';
import { openForm } from './form.ts';
import { readUpload } from './upload.ts';

/** A file that comes with a request. */
export interface UploadedFile {
  content: AsyncIterable<Buffer>;
  /** Its media type, as its sender has it. */
  type: string;
  /** The character set that its sender names. */
  charset: string | undefined;
}

/** The file in the body of a request, or in the form that the body is. Throws UploadRejected for a form without a file, UploadAborted, and
 *  what `checkSize` throws of the length of a form. */
export async function openUpload(
  request: IncomingMessage,
  checkSize: (bytes: number) => void,
): Promise<UploadedFile> {
  const contentType = request.headers['content-type'] ?? '';
  const content = readUpload(request);
  const type = contentType.replace(/;.*$/s, '').trim().toLowerCase();
  if (type === 'multipart/form-data') return await openForm(request.headers, withinSize(content, checkSize));
  const [, charset] = /;\s*charset\s*=\s*"?([^\s";]+)/i.exec(contentType) ?? [];
  return { content, type, charset };
}

/** What a form may be longer than its file, in bytes. */
const formBytes = 64 * 1024;

async function* withinSize(source: AsyncIterable<Buffer>, checkSize: (bytes: number) => void) {
  let bytes = -formBytes;
  for await (const part of source) {
    bytes += part.length;
    checkSize(bytes);
    yield part;
  }
}
