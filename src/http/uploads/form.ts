import type { IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import busboy from 'busboy';
import { UploadAborted, UploadRejected, UploadTooLarge } from '../../transfers/transfer.ts';
import type { UploadedFile } from './uploaded-file.ts';

/** What a form may have besides its file. */
const limits = { files: 1, fields: 20, fieldNameSize: 200, fieldSize: 4_096, parts: 21, headerPairs: 50 };

const noFile = 'The form holds no file. With curl, send it as -F file=@links.csv.';
const severalFiles = 'The form holds more than one file. Import each on its own.';

/** The one file of a form that comes in, read as it comes: other parts are skipped. Throws UploadRejected and UploadAborted, while it is
 *  read too. */
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
    form.on('error', (error) => reject(asBroken(error)));
    input.on('error', (error) => reject(asBroken(error)));
  });
  const opened = new Promise<UploadedFile>((resolve, reject) => {
    form.on('file', (_name, stream, { mimeType }) => {
      // It may break off before anybody reads it, which finds it destroyed then.
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
    throw new UploadRejected('The form has no boundary between its parts.');
  }
}

async function* readFile(
  stream: Readable,
  input: Readable,
  ended: Promise<void>,
  state: { hasSeveral: boolean },
): AsyncGenerator<Buffer> {
  // A source that fails ends in neither the parser nor its file.
  ended.catch((error: unknown) => stream.destroy(asBroken(error)));
  try {
    for await (const part of stream) yield part as Buffer;
    await ended;
    if (state.hasSeveral) throw new UploadRejected(severalFiles);
  } catch (error) {
    throw asBroken(error);
  } finally {
    input.destroy();
  }
}

/** What the parser says of a form that ends too early, or is none. */
const asBroken = (error: unknown): Error =>
  error instanceof UploadAborted || error instanceof UploadRejected || error instanceof UploadTooLarge
    ? error
    : new UploadAborted('The form ends too early, or is damaged.', { cause: error });
