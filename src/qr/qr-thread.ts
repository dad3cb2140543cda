import { once } from 'node:events';
import type { Worker } from 'node:worker_threads';
import { startThread } from '../resilience/thread.ts';
import type { Painted, QrOrder } from './qr-painter.ts';
import { QrTooSmall } from './qr-style.ts';

/** Megabytes that a picture of the greatest size takes many times over. */
const resourceLimits = { maxOldGenerationSizeMb: 64 };

/** Paints QR codes in a thread of its own, one after the other, so that the event loop has nothing to do with it. The thread starts with
 *  the first one, starts again after a failure, and keeps no process alive. */
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
    /** A picture as it is sent. One at a time: the caller waits for each. Throws QrTooSmall. */
    async paint(order: QrOrder): Promise<Buffer> {
      const painting = (worker ??= start());
      const ending = new AbortController();
      const { signal } = ending;
      try {
        const answered = once(painting, 'message', { signal });
        const ended = once(painting, 'exit', { signal }).then(() => {
          throw new Error('the thread that paints QR codes has ended');
        });
        // oxlint-disable-next-line unicorn/require-post-message-target-origin -- threads have no origin
        painting.postMessage(order);
        const [painted] = (await Promise.race([answered, ended])) as [Painted];
        if ('leastSize' in painted) throw new QrTooSmall(painted.leastSize);
        return Buffer.from(painted.picture);
      } finally {
        ending.abort();
      }
    },

    /** Ends the thread. */
    async close(): Promise<void> {
      await worker?.terminate();
    },
  };
}
