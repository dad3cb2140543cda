import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { withDeadline } from '../../resilience/shutdown.ts';
import { UploadAborted } from '../../transfers/transfer.ts';

/** How long an upload may be silent. */
const silentMs = 30_000;

const uploading = new WeakSet<Duplex>();

/** Whether an upload is read from this connection, which then may take its time. */
export const isUploading = (connection: Duplex) => uploading.has(connection);

/** The body of a request as it comes, however long it is. Throws UploadAborted when the client goes away or falls silent. */
export async function* readUpload(request: IncomingMessage): AsyncGenerator<Buffer> {
  const parts: AsyncIterator<Buffer> = request[Symbol.asyncIterator]();
  uploading.add(request.socket);
  try {
    for (;;) {
      const { value, done } = await withDeadline(parts.next(), silentMs, () => {
        throw new UploadAborted('Nothing came for too long.');
      });
      if (done) return;
      yield value;
    }
  } catch (error) {
    throw request.errored ? new UploadAborted('The upload broke off.', { cause: error }) : error;
  } finally {
    uploading.delete(request.socket);
  }
}
