import type { Redis } from 'ioredis';
import type { JobName } from '../../src/queues/jobs.ts';
import { queuePrefix } from '../../src/queues/queues.ts';
import type { Answer, Client } from './http/client.ts';
import { waitUntil } from './wait-until.ts';

/** Asks for a job over the API; resolves to the path to watch it at. */
export async function requestJob(client: Client, name: JobName, data: object = {}): Promise<string> {
  const answer = await client.post(`/api/v1/jobs/${name}`, data);
  if (answer.status !== 202) throw new Error(`${name} was not taken: ${JSON.stringify(answer.body)}`);
  return String(answer.headers.get('location'));
}

/** Asks for a job over the API and resolves to what the API shows of it once it is completed. */
export async function runJob(client: Client, name: JobName, data: object = {}): Promise<Answer['body']> {
  const path = await requestJob(client, name, data);
  return await waitUntil(`${name} is completed`, async () => {
    const { body } = await client.get(path);
    return body['state'] === 'completed' && body;
  });
}

/** Every progress value that jobs of this kind have reported so far, in per cent, the first first. */
export async function readProgress(redis: Redis, redisPrefix: string, name: JobName): Promise<number[]> {
  const events = await redis.xrange(`${queuePrefix(redisPrefix, name)}:${name}:events`, '-', '+');
  return events.flatMap(([, fields]) => {
    const event = toRecord(fields);
    return event['event'] === 'progress' ? [Number(event['data'])] : [];
  });
}

/** "name, value, name, value, …" as an object. */
function toRecord(fields: string[]): Record<string, string> {
  const pairs = fields.flatMap((name, i) => (i % 2 === 0 ? [[name, fields[i + 1] ?? '']] : []));
  return Object.fromEntries(pairs) as Record<string, string>;
}
