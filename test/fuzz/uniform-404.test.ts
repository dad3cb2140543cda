import { Agent, get } from 'node:http';
import { expect, test } from 'vitest';
import { useWeb } from '../support/http/web-app.ts';
import { insertRestrictedUrl } from '../support/urls/restricted-urls.ts';
import { createUrl } from '../support/urls/urls.ts';

const web = useWeb({ RATE_LIMIT_NOT_FOUND_PER_IP: '0' });
const rounds = 1_500;
/** Tolerated difference of medians on a noisy machine: a Redis look-up takes more than twice as long as a memory cache hit. */
const noise = 1.2;

const agent = new Agent({ keepAlive: true, maxSockets: 1 });

/** The response time in milliseconds on an open connection. */
async function time(code: string): Promise<number> {
  const begunAt = performance.now();
  await new Promise<void>((resolve, reject) => {
    get(`${web.baseUrl()}/${code}`, { agent }, (response) => {
      response.resume();
      response.on('end', resolve);
    }).on('error', reject);
  });
  return performance.now() - begunAt;
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

test('response times do not distinguish unknown from deleted or inactive codes', async () => {
  const db = web.database.db();
  const [deleted, disabled] = [await createUrl(web.client()), await createUrl(web.client())];
  await web.client().delete(`/api/v1/urls/${deleted}`);
  await web.client().patch(`/api/v1/urls/${disabled}`, { is_active: false });
  const startsAt = new Date(Date.now() + 3_600_000);
  const codes = [
    ['unknown', 'never-was'],
    ['unknown, too', 'never-was-either'],
    ['deleted', deleted],
    ['disabled', disabled],
    ['not yet begun', await insertRestrictedUrl(db, { startsAt })],
  ] as const;
  const times = new Map(codes.map(([kind]) => [kind, [] as number[]]));
  for (let round = 0; round < rounds; round++) {
    // The order varies, so that no code always follows the same other code.
    for (let i = 0; i < codes.length; i++) {
      const [kind, code] = codes[(i * (1 + (round % 4)) + round) % codes.length]!;
      times.get(kind)!.push(await time(code));
    }
  }
  agent.destroy();
  const medians = Object.fromEntries([...times].map(([kind, values]) => [kind, median(values)]));
  const [least, most] = [Math.min(...Object.values(medians)), Math.max(...Object.values(medians))];
  expect({ ...medians, ratio: most / least < noise }).toEqual({ ...medians, ratio: true });
});
