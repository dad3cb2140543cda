import { setTimeout as delay } from 'node:timers/promises';
import { type BackendFactory, createRedisBackend, type RedisQueueBackend, type Worker } from 'bullmq';

/** Pause after a failed attempt to take a job. */
const pauseMs = 1_000;

/** BullMQ's Redis backend with a pause after each failed attempt to take a job. BullMQ itself retries at once unless the connection was
 *  lost: a Redis that rejects commands would then keep a core busy and block the event loop. */
export const createPacedBackend: BackendFactory<RedisQueueBackend> = (name, options, settings) => {
  const backend = createRedisBackend(name, options, settings);
  const moveToActive = backend.moveToActive.bind(backend);
  const waitForJob = backend.waitForJob.bind(backend);
  backend.moveToActive = async (...args) => await paced(moveToActive(...args));
  backend.waitForJob = async (...args) => await paced(waitForJob(...args));
  return backend;
};

async function paced<T>(attempt: Promise<T>): Promise<T> {
  try {
    return await attempt;
  } catch (error) {
    await delay(pauseMs, undefined, { ref: false });
    throw error;
  }
}

/** Runs a Worker once its connections are ready, and retries after a pause when it fails; `onError` receives the errors. */
export async function runWhenReady(
  worker: Pick<Worker, 'waitUntilReady' | 'run' | 'closing'>,
  onError: (error: unknown) => void,
): Promise<void> {
  while (!worker.closing) {
    try {
      await worker.waitUntilReady();
      await worker.run();
      return;
    } catch (error) {
      // Closing a Worker rejects its pending promises.
      if (!worker.closing) onError(error);
      await delay(pauseMs, undefined, { ref: false });
    }
  }
}
