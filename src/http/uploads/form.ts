import type { IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import busboy from 'busboy';
import { UploadAborted, UploadRejected, UploadTooLarge } from '../../transfers/transfer.ts';

/** An uploaded file. */
export interface UploadedFile {
  content: AsyncIterable<Buffer>;
  /** Media type from `Content-Type`. */
  type: string;
  /** Character set from `Content-Type`. */
  charset: string | undefined;
}

/** Limits of a form. */
const limits = { files: 1, fields: 20, fieldNameSize: 200, fieldSize: 4_096, parts: 21, headerPairs: 50 };

const noFile = 'The form contains no file. With curl, send it as -F file=@links.csv.';
const severalFiles = 'The form contains more than one file. Import each file separately.';

/** The only file of a form, as a stream; other fields are ignored. Throws UploadRejected and UploadAborted, also while the file is
 *  read. */
export async function openForm(
  headers: IncomingHttpHeaders,
  source: AsyncIterable<Buffer>,
): Promise<UploadedFile> {
  const input = Readable.from(source);
  const form = openParser(headers);
  const state = { hasSeveral: false };
  form.on('filesLimit', () => {
    state.hasSeveral = true;
  });
  const ended = new Promise<void>((resolve, reject) => {
    form.on('close', resolve);
    form.on('error', (error) => reject(toUploadError(error)));
    input.on('error', (error) => reject(toUploadError(error)));
  });
  const opened = new Promise<UploadedFile>((resolve, reject) => {
    form.on('file', (_name, stream, { mimeType }) => {
      // An error before the first read must not be unhandled; the reader gets it later.
      stream.on('error', () => undefined);
      const content = readFile(stream, input, ended, state);
      resolve({ content, type: mimeType, charset: undefined });
    });
    ended.then(() => reject(new UploadRejected(noFile)), reject);
  });
  input.pipe(form);
  try {
    return await opened;
  } catch (error) {
    input.destroy();
    throw error;
  }
}

function openParser(headers: IncomingHttpHeaders): busboy.Busboy {
  try {
    return busboy({ headers, limits });
  } catch {
    throw new UploadRejected('The Content-Type of the form has no boundary.');
  }
}

async function* readFile(
  stream: Readable,
  input: Readable,
  ended: Promise<void>,
  state: { hasSeveral: boolean },
): AsyncGenerator<Buffer> {
  // An error of the source reaches neither the parser nor the file.
  ended.catch((error: unknown) => stream.destroy(toUploadError(error)));
  try {
    for await (const part of stream) yield part as Buffer;
    await ended;
    if (state.hasSeveral) throw new UploadRejected(severalFiles);
  } catch (error) {
    throw toUploadError(error);
  } finally {
    input.destroy();
  }
}

/** Converts an error of the parser, which means an incomplete or malformed form. */
const toUploadError = (error: unknown): Error =>
  error instanceof UploadAborted || error instanceof UploadRejected || error instanceof UploadTooLarge
    ? error
    : new UploadAborted('The form is incomplete or malformed.', { cause: error });
