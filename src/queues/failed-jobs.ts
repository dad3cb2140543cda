import type { Queue } from 'bullmq';
import type { RedisClient } from '../storage/redis/client.ts';

/** More than a queue keeps of its failed jobs. */
const maxFailed = 2_000;

/** A job that has failed all its attempts. */
export interface FailedJob {
  id: string;
  error: string;
  attempts: number;
  failedAt: number;
  data: unknown;
}

/** Where a failed job is in the list of its queue. */
export type FailurePosition = Pick<FailedJob, 'id' | 'failedAt'>;

/** Up to `limit` failed jobs, newest first, after a position. Jobs that are retried or removed meanwhile are absent. */
export async function readFailedJobs(
  redis: RedisClient,
  queue: Queue,
  { after, limit }: { after: FailurePosition | undefined; limit: number },
): Promise<FailedJob[]> {
  const members = await redis.zrevrange(queue.toKey('failed'), 0, maxFailed, 'WITHSCORES');
  const positions = members.flatMap((id, i) =>
    i % 2 === 0 ? [{ id, failedAt: Number(members[i + 1]) }] : [],
  );
  const isAfter = ({ id, failedAt }: FailurePosition) =>
    after === undefined || failedAt < after.failedAt || (failedAt === after.failedAt && id < after.id);
  const page = positions.filter(isAfter).slice(0, limit);
  const jobs = await Promise.all(page.map(async ({ id }) => await queue.getJob(id)));
  return page.flatMap(({ id, failedAt }, i) => {
    const job = jobs[i];
    if (!job) return [];
    return [{ id, failedAt, error: job.failedReason ?? '', attempts: job.attemptsMade, data: job.data }];
  });
}
