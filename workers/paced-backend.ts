import { setTimeout as delay } from 'node:timers/promises';
import { type BackendFactory, createRedisBackend, type RedisQueueBackend, type Worker } from 'bullmq';

/** Time between two attempts to take a job from a Redis that refuses. */
const pauseMs = 1_000;

/** BullMQ's backend on Redis with a pause after each attempt to take a job that failed. BullMQ itself tries again at once where
 *  the error is not a lost connection: a refusal would then take a whole core, or keep the event loop from all other work. */
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

/** Lets a Worker take jobs once its connections are ready, and again after a pause where it could not; `onError` gets the reason. */
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
      // Closing a Worker ends what it waits for.
      if (!worker.closing) onError(error);
      await delay(pauseMs, undefined, { ref: false });
    }
  }
}
