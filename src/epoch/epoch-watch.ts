import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../log.ts';
import type { Conditions } from '../resilience/conditions.ts';
import { isReadOnly, isStatementFailure } from '../storage/postgres/errors.ts';
import { isPostgresUnavailable } from '../storage/postgres/postgres.ts';
import { isRedisUnavailable } from '../storage/redis/errors.ts';
import { explainChange, explainUnread } from './epoch-conditions.ts';
import { createEpochEvidence } from './epoch-evidence.ts';
import type { EpochStamp, HeldEpoch } from './epoch-stamp.ts';
import type { DatabaseEpoch, EpochStore } from './epoch-store.ts';
import type { CurrentEpoch } from './epoch.ts';

/** How often each process compares the two stores: what a restore has changed is right within 2 s. */
const lookEveryMs = 1_000;
/** A stamp that was not renewed for this long belongs to a service that has stopped. */
const silentMs = 5_000;
/** A stamp of another epoch that is renewed this often while a process waits belongs to a service that runs. */
const beatsOfRunning = 2;

/** Redis, under this prefix, belongs to another database whose processes run. */
export class RedisInUse extends Error {
  override readonly name = 'RedisInUse';
}

export type EpochWatch = ReturnType<typeof createEpochWatch>;

/** Keeps `current` equal to the epoch in PostgreSQL and stamps Redis with it. *Invariant:* Redis carries the stamp of one epoch,
 *  and a process whose database has another one either replaces a stamp that is no longer renewed, or uses no Redis. */
export function createEpochWatch(deps: {
  store: EpochStore;
  stamp: EpochStamp;
  current: CurrentEpoch;
  conditions?: Pick<Conditions, 'list' | 'update'>;
  /** Ends the process where Redis turns out to be in use by another database. */
  endProcess: (reason: string) => void;
  log: Log;
}) {
  const { store, stamp, current, conditions, endProcess, log } = deps;
  const evidence = createEpochEvidence();
  let foreign: { epoch: string; beat: number; beats: number } | undefined;
  let looking: Promise<'own' | 'unknown' | 'waiting'> | undefined;
  let hasWarned = false;
  let isEnding = false;
  let timer: NodeJS.Timeout | undefined;

  async function readStamp(): Promise<HeldEpoch | 'none' | 'away'> {
    try {
      return (await stamp.read()) ?? 'none';
    } catch (error) {
      if (!isRedisUnavailable(error)) log.debug({ err: error }, 'failed to read the epoch in Redis');
      return 'away';
    }
  }

  async function lookOnce() {
    // Redis first: PostgreSQL is then at least as far as Redis.
    const held = await readStamp();
    const inRedis = typeof held === 'string' ? undefined : held;
    const before = current.known;
    let epoch: DatabaseEpoch;
    try {
      epoch = await readDatabase(inRedis);
      hasWarned = false;
      conditions?.update('database_epoch_unknown', undefined);
    } catch (error) {
      onUnread(error, inRedis);
      return 'unknown' as const;
    }
    if (held === 'away') {
      adopt(epoch);
      return 'unknown' as const;
    }
    if (inRedis === undefined || inRedis.epoch === epoch.epoch) {
      foreign = undefined;
      adopt(epoch);
      return (await stamp.write(epoch, evidence.certain!)) ? ('own' as const) : ('waiting' as const);
    }
    const isOurs = before !== undefined && before.epoch === inRedis.epoch;
    if (!isOurs && isRunning(inRedis)) return 'waiting' as const;
    return await replaceStamp(inRedis, epoch);
  }

  /** The epoch in PostgreSQL; a new one where PostgreSQL lacks what it was seen to have. */
  async function readDatabase(inRedis: HeldEpoch | undefined): Promise<DatabaseEpoch> {
    const epoch = await store.read();
    const witnesses = [evidence.certain, inRedis].filter((one) => one?.epoch === epoch.epoch);
    const position = Math.max(...witnesses.map((one) => one?.walPosition ?? 0));
    const version = Math.max(...witnesses.map((one) => one?.version ?? 0));
    const lacksLog = epoch.walPosition !== null && epoch.walPosition < position;
    if (!lacksLog && epoch.version >= version) {
      evidence.note(epoch);
      return epoch;
    }
    // Without a note the evidence stays until the new epoch has begun.
    const reason = 'restored to an earlier state';
    const next = await store.begin(reason, version, { after: epoch, idsUntilRestart: true });
    evidence.note(next);
    return next;
  }

  function onUnread(error: unknown, inRedis: HeldEpoch | undefined): void {
    if (!hasWarned && !isPostgresUnavailable(error))
      log.warn({ err: error }, 'failed to read the epoch of the database');
    hasWarned = true;
    // Missing migrations are reported elsewhere.
    const isOutdated = conditions?.list().some(({ code }) => code === 'schema_outdated');
    if (isStatementFailure(error) && !isReadOnly(error))
      conditions?.update('database_epoch_unknown', isOutdated ? undefined : explainUnread(error));
    // A process that starts while PostgreSQL is away serves what Redis has.
    if (current.known === undefined && inRedis) current.set({ ...inRedis, reason: 'read from Redis' });
  }

  /** Whether another epoch's stamp is, or may be, renewed by running processes. Throws RedisInUse once that is certain. */
  function isRunning(held: HeldEpoch): boolean {
    if (held.ageMs >= silentMs) return false;
    if (foreign?.epoch !== held.epoch) foreign = { epoch: held.epoch, beat: held.beat, beats: 0 };
    if (held.beat !== foreign.beat) Object.assign(foreign, { beat: held.beat, beats: foreign.beats + 1 });
    if (foreign.beats < beatsOfRunning) return true;
    throw new RedisInUse(
      'Redis is in use by the processes of another database under the same REDIS_PREFIX. Set another REDIS_PREFIX or ' +
        'REDIS_URL, or stop the other service and run "npm run restore-complete" to hand Redis over to this database',
    );
  }

  async function replaceStamp(held: HeldEpoch, epoch: DatabaseEpoch) {
    const above = Math.max(held.versionFloor, held.version);
    // What Redis has must count as older than everything in this database.
    const next =
      epoch.versionFloor > above
        ? epoch
        : await store.begin('Redis belonged to another database', above, { after: epoch });
    foreign = undefined;
    if (!(await stamp.write(next, evidence.note(next), held.epoch))) return 'waiting' as const;
    await stamp.dropContent();
    log.warn({ epoch: next.number, before: held.epoch }, 'took over Redis from another epoch');
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

  /** Compares the stores now; one comparison at a time. Rejects with RedisInUse. */
  function look() {
    looking ??= lookOnce().finally(() => {
      looking = undefined;
    });
    return looking;
  }

  async function lookAgain() {
    try {
      return await look();
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
    look,

    /** Compares the stores, until it is clear that Redis belongs to no other database that runs, and then once a second. Where
     *  one of them is away, the next comparisons decide. Never resolves if the process is to end. */
    async start(): Promise<void> {
      while ((await lookAgain()) === 'waiting') await delay(lookEveryMs);
      if (!isEnding) timer = setInterval(() => void lookAgain(), lookEveryMs);
      else await new Promise(() => undefined);
    },

    stop: () => clearInterval(timer),
  };
}
