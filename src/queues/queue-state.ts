import type { RedisClient } from '../storage/redis/client.ts';
import type { JobName } from './jobs.ts';

/** BullMQ multiplies the time of a delayed job, in ms, by this factor for its score, so that jobs of the same ms keep their order. */
export const delayedScoresPerMs = 0x1000;

/** A delayed job counts as due this long after its time: a worker takes it within that. */
export const dueAfterMs = 1_000;

const dayMs = 24 * 3_600_000;
/** Running jobs that a state lists, of each queue. */
const maxRunning = 10;

/** The state of a queue. */
export interface QueueState {
  queue: JobName;
  /** Jobs by state. Failed jobs are kept for a week. */
  jobs: Record<'waiting' | 'active' | 'delayed' | 'failed', number>;
  isPaused: boolean;
  /** Jobs that a worker could take: the waiting ones, and delayed ones whose time has come. */
  due: number;
  /** How long the oldest of them has been due; 0 without one. */
  oldestMs: number;
  /** The first running jobs; `progress` is a percentage. */
  running: { id: string; progress: number; startedAt: number }[];
  /** The job that finished last. */
  lastRun: FinishedJob | undefined;
  /** Jobs that failed within 24 hours, of those that are kept. */
  failedOfDay: number;
  /** When the next delayed job is due, in ms since 1970; it is past while no worker takes the job. */
  nextAt: number | undefined;
}

interface FinishedJob {
  id: string;
  isFailed: boolean;
  finishedAt: number;
  durationMs: number;
  /** What the processor returned. */
  result: unknown;
}

/** Reads everything about a queue at one moment. `KEYS[1]` is the prefix of its keys. */
const stateScript = `
  local function key(name) return KEYS[1] .. name end
  local function fields(id, ...) return id and redis.call('HMGET', key(id), ...) or false end
  local running = {}
  for i, id in ipairs(redis.call('LRANGE', key('active'), -tonumber(ARGV[3]), -1)) do
    local job = fields(id, 'progress', 'processedOn')
    running[i] = { id, job[1], job[2] }
  end
  local completed = redis.call('ZRANGE', key('completed'), -1, -1, 'WITHSCORES')
  local failed = redis.call('ZRANGE', key('failed'), -1, -1, 'WITHSCORES')
  local last = completed
  if #failed > 0 and (#last == 0 or tonumber(failed[2]) > tonumber(last[2])) then last = failed end
  return {
    redis.call('LLEN', key('wait')) + redis.call('ZCARD', key('prioritized')),
    redis.call('LLEN', key('active')),
    redis.call('ZCARD', key('delayed')),
    redis.call('ZCARD', key('failed')),
    redis.call('HEXISTS', key('meta'), 'paused'),
    redis.call('ZCOUNT', key('delayed'), '-inf', ARGV[1]),
    fields(redis.call('LINDEX', key('wait'), -1), 'timestamp', 'opts', 'processedOn'),
    fields(redis.call('ZRANGE', key('prioritized'), 0, 0)[1], 'timestamp', 'opts', 'processedOn'),
    redis.call('ZRANGE', key('delayed'), 0, 0, 'WITHSCORES')[2] or false,
    running,
    last == failed and 1 or 0,
    #last > 0 and { last[1], fields(last[1], 'processedOn', 'finishedOn', 'returnvalue') } or false,
    redis.call('ZCOUNT', key('failed'), ARGV[2], '+inf'),
  }`;

type Fields = (string | null)[];
type Reply = [
  waiting: number,
  active: number,
  delayed: number,
  failed: number,
  isPaused: 0 | 1,
  dueDelayed: number,
  firstWaiting: Fields | null,
  firstPrioritized: Fields | null,
  firstDelayedScore: string | null,
  running: [id: string, progress: string | null, processedOn: string | null][],
  isLastFailed: 0 | 1,
  last: [id: string, fields: Fields] | null,
  failedOfDay: number,
];

/** Reads the states of queues in about one round trip. `prefixOf` returns what the Redis keys of a queue begin with. */
export async function readQueueStates(
  redis: RedisClient,
  names: JobName[],
  prefixOf: (name: JobName) => string,
): Promise<QueueState[]> {
  const now = Date.now();
  const latestDue = (now - dueAfterMs) * delayedScoresPerMs;
  // Not by a pipeline, which cannot reach several nodes of a cluster.
  const replies = await Promise.all(
    names.map(
      async (name) => await redis.eval(stateScript, 1, prefixOf(name), latestDue, now - dayMs, maxRunning),
    ),
  );
  return names.map((name, i) => toState(name, replies[i] as Reply, now));
}

function toState(queue: JobName, reply: Reply, now: number): QueueState {
  const [waiting, active, delayed, failed, isPaused, dueDelayed, ...rest] = reply;
  const [firstWaiting, firstPrioritized, delayedScore, running, isLastFailed, last, failedOfDay] = rest;
  const delayedAt = delayedScore === null ? undefined : Number(delayedScore) / delayedScoresPerMs;
  const dueSince = [firstWaiting, firstPrioritized].flatMap((job) => (job ? [dueTimeOf(job)] : []));
  if (delayedAt !== undefined) dueSince.push(delayedAt);
  return {
    queue,
    jobs: { waiting, active, delayed, failed },
    isPaused: isPaused === 1,
    due: waiting + dueDelayed,
    oldestMs: Math.max(0, ...dueSince.map((time) => now - time)),
    running: running.map(([id, progress, startedAt]) => ({
      id,
      progress: Number(progress) || 0,
      startedAt: Number(startedAt ?? now),
    })),
    lastRun: last === null ? undefined : toFinishedJob(last, isLastFailed === 1),
    failedOfDay,
    nextAt: delayedAt,
  };
}

/** A retried job has been due since its last attempt. */
function dueTimeOf([timestamp, options, processedOn]: Fields): number {
  const { delay = 0 } = JSON.parse(options ?? '{}') as { delay?: number };
  return Math.max(Number(timestamp) + delay, Number(processedOn ?? 0));
}

function toFinishedJob(
  [id, [processedOn, finishedOn, result]]: [string, Fields],
  isFailed: boolean,
): FinishedJob {
  const finishedAt = Number(finishedOn ?? 0);
  return {
    id,
    isFailed,
    finishedAt,
    durationMs: Math.max(0, finishedAt - Number(processedOn ?? finishedAt)),
    result: isFailed || result == null ? null : (JSON.parse(result) as unknown),
  };
}
