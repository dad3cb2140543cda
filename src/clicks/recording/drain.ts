import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../../log.ts';
import { repeatedWarningsOf } from '../../resilience/repeated-warnings.ts';
import type { Outbox } from './outbox.ts';

/** How long a drain waits for PostgreSQL at a time, and how often it retries while both stores are unavailable. */
const drainTimeoutMs = 2_500;
const drainIntervalMs = 1_000;

/** Resolves when PostgreSQL or Redis has each batch of the outbox; waits without a limit. `resend` sends the batches that
 *  Redis does not have. */
export async function drainOutbox(
  outbox: Pick<Outbox, 'close' | 'notInRedis'>,
  resend: () => Promise<void>,
  log: Log,
): Promise<void> {
  for (;;) {
    // Redis first: a hanging PostgreSQL would use up the time in which Redis could store them.
    const error: unknown = await resend().catch((reason: unknown) => reason);
    await outbox.close(drainTimeoutMs);
    const missing = outbox.notInRedis();
    if (missing.length === 0) return;
    const clicks = missing.reduce((sum, batch) => sum + batch.clicks, 0);
    repeatedWarningsOf(log).warn(
      'drain of clicks',
      { err: error, clicks },
      'failed to store clicks: they are lost if this process ends',
    );
    await delay(drainIntervalMs);
  }
}
