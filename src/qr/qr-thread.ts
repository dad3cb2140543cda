import { once } from 'node:events';
import type { Worker } from 'node:worker_threads';
import { startThread } from '../resilience/process/thread.ts';
import type { QrRequest, QrResult } from './qr-painter.ts';
import { QrTooSmall } from './qr-style.ts';

/** Many times the memory of the largest image. */
const resourceLimits = { maxOldGenerationSizeMb: 64 };

/** Renders QR codes in a thread, off the event loop. The thread starts with the first image, restarts after a failure, and does not keep
 *  the process alive. */
export function createQrThread() {
  let worker: Worker | undefined;

  function start(): Worker {
    const started = startThread('qr-painter', import.meta.url, { resourceLimits });
    started.on('error', () => undefined);
    started.once('exit', () => {
      if (worker === started) worker = undefined;
    });
    return started;
  }

  return {
    /** Renders an image. The caller must wait for each before the next. Throws QrTooSmall. */
    async render(request: QrRequest): Promise<Buffer> {
      const current = (worker ??= start());
      const ending = new AbortController();
      const { signal } = ending;
      try {
        const answered = once(current, 'message', { signal });
        const ended = once(current, 'exit', { signal }).then(() => {
          throw new Error('the QR code thread has exited');
        });
        // oxlint-disable-next-line unicorn/require-post-message-target-origin -- threads have no origin
        current.postMessage(request);
        const [result] = (await Promise.race([answered, ended])) as [QrResult];
        if ('minSize' in result) throw new QrTooSmall(result.minSize);
        return Buffer.from(result.image);
      } finally {
        ending.abort();
      }
    },

    /** Terminates the thread. */
    async close(): Promise<void> {
      await worker?.terminate();
    },
  };
}
