import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { withDeadline } from '../../resilience/shutdown.ts';
import { UploadAborted } from '../../transfers/transfer.ts';

/** Maximum time without data. */
const idleTimeoutMs = 30_000;

const uploading = new WeakSet<Duplex>();

/** Whether an upload is in progress on this connection: the request timeout does not apply then. */
export const isUploading = (connection: Duplex) => uploading.has(connection);

/** Streams the body of a request of any length. Throws UploadAborted when the client disconnects, or sends nothing for `idleTimeoutMs`. */
export async function* readUpload(request: IncomingMessage): AsyncGenerator<Buffer> {
  const chunks: AsyncIterator<Buffer> = request[Symbol.asyncIterator]();
  uploading.add(request.socket);
  try {
    for (;;) {
      const { value, done } = await withDeadline(chunks.next(), idleTimeoutMs, () => {
        throw new UploadAborted('The upload timed out: no data arrived.');
      });
      if (done) return;
      yield value;
    }
  } catch (error) {
    throw request.errored ? new UploadAborted('The upload was aborted.', { cause: error }) : error;
  } finally {
    uploading.delete(request.socket);
  }
}
