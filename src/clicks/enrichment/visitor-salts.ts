import { randomBytes } from 'node:crypto';
import type { Log } from '../../log.ts';
import { createPoller } from '../../resilience/poller.ts';
import type { VisitorSaltStore } from './visitor-salt-store.ts';

const dayMs = 86_400_000;
/** How often to check for a new day, or whether PostgreSQL is available again. */
const checkIntervalMs = 5_000;
/** How long before midnight the next day's salt is fetched. */
const fetchAheadMs = 3_600_000;

export type VisitorSalts = ReturnType<typeof createVisitorSalts>;

/** Salts of today and, before midnight (UTC), of tomorrow. Until PostgreSQL answers, a process uses a random salt of
 *  its own: visitors who continue later, or on another process, then count twice. */
export function createVisitorSalts(deps: { store: VisitorSaltStore; log: Log; now?: () => number }) {
  const { store, log, now = Date.now } = deps;
  const salts = new Map<number, string>();
  const fetchedDays = new Set<number>();
  let cleanedUpOn = -1;
  const poller = createPoller({
    everyMs: checkIntervalMs,
    run: refresh,
    onFailure(error, failures) {
      if (failures === 1) log.warn({ err: error }, 'failed to read visitor salt, using a random one');
    },
  });

  async function fetchSalt(day: number): Promise<void> {
    if (fetchedDays.has(day)) return;
    salts.set(day, await store.getOrCreate(new Date(day * dayMs).toISOString().slice(0, 10)));
    fetchedDays.add(day);
  }

  async function refresh(): Promise<void> {
    const nowMs = now();
    const today = Math.floor(nowMs / dayMs);
    for (const day of salts.keys()) {
      if (day >= today) continue;
      salts.delete(day);
      fetchedDays.delete(day);
    }
    await fetchSalt(today);
    await fetchSalt(Math.floor((nowMs + fetchAheadMs) / dayMs));
    if (cleanedUpOn !== today) await store.deleteOld();
    cleanedUpOn = today;
  }

  return {
    /** Fetches missing salts from PostgreSQL. */
    refresh: poller.poll,

    /** Returns the salt for the day of a timestamp. */
    saltAt(atMs: number): string {
      const day = Math.floor(atMs / dayMs);
      const existing = salts.get(day);
      if (existing !== undefined) return existing;
      const salt = randomBytes(32).toString('hex');
      salts.set(day, salt);
      return salt;
    },

    stop: () => void poller.stop(),
  };
}
