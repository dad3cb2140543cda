import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../log.ts';
import type { Conditions } from '../resilience/conditions.ts';
import { isReadOnly, isStatementFailure } from '../storage/postgres/errors.ts';
import { isPostgresUnavailable } from '../storage/postgres/postgres.ts';
import { isRedisUnavailable } from '../storage/redis/errors.ts';
import { explainChange, explainUnreadable } from './epoch-conditions.ts';
import { createEpochEvidence } from './epoch-evidence.ts';
import type { EpochStamp, RedisEpoch } from './epoch-stamp.ts';
import type { DatabaseEpoch, EpochStore } from './epoch-store.ts';
import type { CurrentEpoch } from './epoch.ts';

/** How often each process compares the stores. A restore takes effect within 2 s. */
const checkIntervalMs = 1_000;
/** A stamp without a heartbeat for this long belongs to a stopped service. */
const stoppedAfterMs = 5_000;
/** Number of heartbeats of another epoch's stamp from which its service counts as running. */
const runningHeartbeats = 2;

/** Redis, under this prefix, belongs to another database with running processes. */
export class RedisInUse extends Error {
  override readonly name = 'RedisInUse';
}

/** Keeps `current` equal to the epoch in PostgreSQL and stamps Redis with it. *Invariant:* Redis has the stamp of one
 *  epoch; a process of another epoch either replaces a stamp without heartbeats, or does not use Redis. */
export function createEpochWatch(deps: {
  store: EpochStore;
  stamp: EpochStamp;
  current: CurrentEpoch;
  conditions?: Pick<Conditions, 'list' | 'update'>;
  /** Ends the process when another database uses Redis. */
  endProcess: (reason: string) => void;
  log: Log;
}) {
  const { store, stamp, current, conditions, endProcess, log } = deps;
  const evidence = createEpochEvidence();
  /** The epoch that this watch has stamped Redis with; `current` may already be a later one, from the watch of another Redis. */
  let stamped: string | undefined;
  let other: { epoch: string; heartbeat: number; heartbeats: number } | undefined;
  let checking: Promise<'own' | 'unknown' | 'waiting'> | undefined;
  let hasWarned = false;
  let isEnding = false;
  let timer: NodeJS.Timeout | undefined;

  async function readStamp(): Promise<RedisEpoch | 'none' | 'unavailable'> {
    try {
      return (await stamp.read()) ?? 'none';
    } catch (error) {
      if (!isRedisUnavailable(error)) log.debug({ err: error }, 'failed to read the epoch in Redis');
      return 'unavailable';
    }
  }

  async function compareStores() {
    // Redis first, so that PostgreSQL is at least as recent as Redis.
    const stampInRedis = await readStamp();
    const inRedis = typeof stampInRedis === 'string' ? undefined : stampInRedis;
    const before = current.known;
    let epoch: DatabaseEpoch;
    try {
      epoch = await readDatabase(inRedis);
      hasWarned = false;
      conditions?.update('database_epoch_unknown', undefined);
    } catch (error) {
      onReadFailure(error, inRedis);
      return 'unknown' as const;
    }
    if (stampInRedis === 'unavailable') {
      adopt(epoch);
      return 'unknown' as const;
    }
    if (inRedis === undefined || inRedis.epoch === epoch.epoch) {
      other = undefined;
      adopt(epoch);
      if (!(await stamp.write(epoch, evidence.durable!))) return 'waiting' as const;
      stamped = epoch.epoch;
      return 'own' as const;
    }
    const isOurs = [before?.epoch, stamped].includes(inRedis.epoch);
    if (!isOurs && isRunning(inRedis)) return 'waiting' as const;
    return await replaceStamp(inRedis, epoch);
  }

  /** Reads the epoch in PostgreSQL; begins a new one when PostgreSQL is behind its durable state. */
  async function readDatabase(inRedis: RedisEpoch | undefined): Promise<DatabaseEpoch> {
    const epoch = await store.read();
    const states = [evidence.durable, inRedis].filter((state) => state?.epoch === epoch.epoch);
    const position = Math.max(...states.map((state) => state?.walPosition ?? 0));
    const version = Math.max(...states.map((state) => state?.version ?? 0));
    const isLogBehind = epoch.walPosition !== null && epoch.walPosition < position;
    if (!isLogBehind && epoch.version >= version) {
      evidence.record(epoch);
      return epoch;
    }
    // Not recorded here: the evidence must stay until the new epoch has begun.
    const reason = 'restored to an earlier state';
    const next = await store.begin(reason, version, { after: epoch, idsUntilRestart: true });
    evidence.record(next);
    return next;
  }

  function onReadFailure(error: unknown, inRedis: RedisEpoch | undefined): void {
    if (!hasWarned && !isPostgresUnavailable(error))
      log.warn({ err: error }, 'failed to read the epoch of the database');
    hasWarned = true;
    // Missing migrations are a condition of their own.
    const isOutdated = conditions?.list().some(({ code }) => code === 'schema_outdated');
    if (isStatementFailure(error) && !isReadOnly(error))
      conditions?.update('database_epoch_unknown', isOutdated ? undefined : explainUnreadable(error));
    // A process that starts while PostgreSQL is unavailable uses the epoch in Redis.
    if (current.known === undefined && inRedis) current.set({ ...inRedis, reason: 'read from Redis' });
  }

  /** Whether running processes renew, or may renew, the stamp of another epoch. Throws RedisInUse once that is
   *  certain. */
  function isRunning(stampInRedis: RedisEpoch): boolean {
    if (stampInRedis.ageMs >= stoppedAfterMs) return false;
    if (other?.epoch !== stampInRedis.epoch)
      other = { epoch: stampInRedis.epoch, heartbeat: stampInRedis.heartbeat, heartbeats: 0 };
    if (stampInRedis.heartbeat !== other.heartbeat)
      Object.assign(other, { heartbeat: stampInRedis.heartbeat, heartbeats: other.heartbeats + 1 });
    if (other.heartbeats < runningHeartbeats) return true;
    throw new RedisInUse(
      'Redis is in use by the processes of another database under the same REDIS_PREFIX. Set another REDIS_PREFIX, ' +
        'REDIS_URL or REDIS_CACHE_URL, or stop the other service and run "npm run restore-complete" to hand Redis over to this database',
    );
  }

  async function replaceStamp(stampInRedis: RedisEpoch, epoch: DatabaseEpoch) {
    const above = Math.max(stampInRedis.versionFloor, stampInRedis.version);
    // Entries in Redis must be older than everything in this database.
    const next =
      epoch.versionFloor > above
        ? epoch
        : await store.begin('Redis belonged to another database', above, { after: epoch });
    other = undefined;
    if (!(await stamp.write(next, evidence.record(next), stampInRedis.epoch))) return 'waiting' as const;
    stamped = next.epoch;
    await stamp.deleteEpochData();
    log.warn({ epoch: next.number, before: stampInRedis.epoch }, 'took over Redis from another epoch');
    adopt(next);
    return 'own' as const;
  }

  function adopt(epoch: DatabaseEpoch): void {
    const before = current.known;
    current.set(epoch);
    if (before && before.epoch !== epoch.epoch)
      log.warn({ epoch: epoch.number, reason: epoch.reason }, 'detected a new epoch of the database');
    conditions?.update('database_epoch_changed', explainChange(epoch));
  }

  /** Compares the stores now; one check at a time. Rejects with RedisInUse. */
  function check() {
    checking ??= compareStores().finally(() => {
      checking = undefined;
    });
    return checking;
  }

  async function checkAndHandle() {
    try {
      return await check();
    } catch (error) {
      if (!(error instanceof RedisInUse)) {
        log.debug({ err: error }, 'failed to compare the epochs of PostgreSQL and Redis');
        return 'unknown';
      }
      if (!isEnding) log.fatal(error.message);
      isEnding = true;
      clearInterval(timer);
      endProcess('Redis is in use by another database');
      return 'unknown';
    }
  }

  return {
    check,

    /** Checks until no other running database uses Redis, then once a second. While a store is unavailable, later
     *  checks decide. Never resolves if the process is to end. */
    async start(): Promise<void> {
      while ((await checkAndHandle()) === 'waiting') await delay(checkIntervalMs);
      if (!isEnding) timer = setInterval(() => void checkAndHandle(), checkIntervalMs);
      else await new Promise(() => undefined);
    },

    stop: () => clearInterval(timer),
  };
}
