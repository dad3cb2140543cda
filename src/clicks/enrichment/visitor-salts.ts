import { randomBytes } from 'node:crypto';
import type { Log } from '../../log.ts';
import { createPoller } from '../../resilience/poller.ts';
import type { VisitorSaltStore } from './visitor-salt-store.ts';

const dayMs = 86_400_000;
/** How often it looks whether a day has begun, or PostgreSQL answers again. */
const lookEveryMs = 5_000;
/** How long before a day its salt is asked for, so that nobody waits for it at midnight. */
const aheadMs = 3_600_000;

export type VisitorSalts = ReturnType<typeof createVisitorSalts>;

/** The salts of today and, before midnight (UTC), of tomorrow. Until PostgreSQL has told it, a day has one that this process made up:
 *  then a visitor who goes on afterwards, or to another process, is taken for two. */
export function createVisitorSalts(deps: { store: VisitorSaltStore; log: Log; now?: () => number }) {
  const { store, log, now = Date.now } = deps;
  const salts = new Map<number, string>();
  const shared = new Set<number>();
  let forgottenOn = -1;
  const poller = createPoller({
    everyMs: lookEveryMs,
    run: refresh,
    onFailure(error, failures) {
      if (failures === 1)
        log.warn({ err: error }, 'failed to read the salt of visitor IDs, using one of this process');
    },
  });

  async function share(day: number): Promise<void> {
    if (shared.has(day)) return;
    salts.set(day, await store.take(new Date(day * dayMs).toISOString().slice(0, 10)));
    shared.add(day);
  }

  async function refresh(): Promise<void> {
    const nowMs = now();
    const today = Math.floor(nowMs / dayMs);
    for (const day of salts.keys()) {
      if (day >= today) continue;
      salts.delete(day);
      shared.delete(day);
    }
    await share(today);
    await share(Math.floor((nowMs + aheadMs) / dayMs));
    if (forgottenOn !== today) await store.forget();
    forgottenOn = today;
  }

  return {
    /** Reads the salts that this process should know now and does not. */
    refresh: poller.poll,

    /** The salt of the day of a moment. */
    saltAt(atMs: number): string {
      const day = Math.floor(atMs / dayMs);
      const known = salts.get(day);
      if (known !== undefined) return known;
      const made = randomBytes(32).toString('hex');
      salts.set(day, made);
      return made;
    },

    stop: () => void poller.stop(),
  };
}
