import type { Redis } from 'ioredis';
import type { JobName } from '../../src/queues/jobs.ts';
import { queuePrefix } from '../../src/queues/queues.ts';
import type { Answer, Client } from './http/client.ts';
import { waitUntil } from './wait-until.ts';

/** Requests a job over the API; resolves to its path. */
export async function requestJob(client: Client, name: JobName, data: object = {}): Promise<string> {
  const answer = await client.post(`/api/v1/jobs/${name}`, data);
  if (answer.status !== 202) throw new Error(`${name} was rejected: ${JSON.stringify(answer.body)}`);
  return String(answer.headers.get('location'));
}

/** Valid data for a job. */
export const dataOf = (name: JobName): object =>
  ({ 'rename-tag': { tag: 'news' }, 'fetch-title': { id: 1 } })[name as string] ?? {};

/** Requests a job over the API and resolves to its representation once it is completed. */
export async function runJob(client: Client, name: JobName, data: object = {}): Promise<Answer['body']> {
  const path = await requestJob(client, name, data);
  return await waitUntil(`${name} is completed`, async () => {
    const { body } = await client.get(path);
    return body['state'] === 'completed' && body;
  });
}

/** All progress values that jobs of this kind have reported, in per cent, in order. */
export async function readProgress(redis: Redis, redisPrefix: string, name: JobName): Promise<number[]> {
  const events = await redis.xrange(`${queuePrefix(redisPrefix, name)}:${name}:events`, '-', '+');
  return events.flatMap(([, fields]) => {
    const event = toRecord(fields);
    return event['event'] === 'progress' ? [Number(event['data'])] : [];
  });
}

/** Converts alternating names and values to an object. */
function toRecord(fields: string[]): Record<string, string> {
  const pairs = fields.flatMap((name, i) => (i % 2 === 0 ? [[name, fields[i + 1] ?? '']] : []));
  return Object.fromEntries(pairs) as Record<string, string>;
}
