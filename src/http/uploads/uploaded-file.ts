import type { IncomingMessage } from 'node:http';
import { openForm, type UploadedFile } from './form.ts';
import { readUpload } from './upload.ts';

/** The file in a request: the body itself, or the file of a form. Throws UploadRejected for a form without a file, UploadAborted, and the
 *  errors of `checkSize` for the length of a form. */
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

/** Maximum bytes of a form in addition to its file. */
const formOverheadBytes = 64 * 1024;

async function* withinSize(source: AsyncIterable<Buffer>, checkSize: (bytes: number) => void) {
  let bytes = -formOverheadBytes;
  for await (const chunk of source) {
    bytes += chunk.length;
    checkSize(bytes);
    yield chunk;
  }
}
