import { expect, test } from 'vitest';
import { jobNames } from '../../../../src/queues/jobs.ts';
import { useWeb } from '../../../support/http/web-app.ts';
import { dataOf } from '../../../support/jobs.ts';

const web = useWeb();

test.each(jobNames)('the job %s is accepted with 202 and waits for a worker', async (name) => {
  const added = await web.client().post(`/api/v1/jobs/${name}`, dataOf(name));
  expect(added.status).toBe(202);
  expect(added.body).toEqual({ id: expect.any(String), name, state: 'waiting' });
  const location = added.headers.get('location');
  expect(location).toBe(`/api/v1/jobs/${name}/${String(added.body['id'])}`);
  const job = await web.client().get(location!);
  expect(job.status).toBe(200);
  expect(job.body).toEqual({
    id: added.body['id'],
    name,
    state: 'waiting',
    progress: 0,
    data: dataOf(name),
    result: null,
    error: null,
    attempts: 0,
    created_at: expect.stringMatching(/Z$/),
    started_at: null,
    finished_at: null,
  });
});

test('a job can be run without a body', async () => {
  expect((await web.client().post('/api/v1/jobs/flush-clicks')).status).toBe(202);
});

test('a job keeps its data', async () => {
  const added = await web.client().post('/api/v1/jobs/replenish-keys', { target: 5 });
  const job = await web.client().get(added.headers.get('location')!);
  expect(job.body['data']).toEqual({ target: 5 });
});

test.each([
  ['replenish-keys', { target: 0 }, { field: 'target', detail: 'must be at least 1' }],
  ['replenish-keys', { target: '100' }, { field: 'target', detail: 'must be a whole number' }],
  ['replenish-keys', { target: 1e9 }, { field: 'target', detail: 'must be at most 10000000' }],
  ['flush-clicks', { shard: -1 }, { field: 'shard', detail: 'must be at least 0' }],
  ['flush-clicks', { shard: 64 }, { field: 'shard', detail: 'must be at most 63' }],
  ['warm-cache', { limit: 0.5 }, { field: 'limit', detail: 'must be a whole number' }],
  ['reconcile-cache', { all: 'yes' }, { field: 'all', detail: 'must be true or false' }],
  ['cleanup-expired', { days: 1 }, { field: 'days', detail: 'is not a known field' }],
])('the job %s rejects the data %j with 422', async (name, data, error) => {
  const ids = async () => await web.redis.redis().lrange(`{${web.redis.prefix}:${name}}:${name}:wait`, 0, -1);
  await web.client().post(`/api/v1/jobs/${name}`, {});
  const before = await ids();
  expect(before.length).toBeGreaterThan(0);
  const answer = await web.client().post(`/api/v1/jobs/${name}`, data);
  expect(answer.status).toBe(422);
  expect(answer.body['errors']).toEqual([error]);
  expect(await ids()).toEqual(before);
});

test.each(['nothing', 'toString', '__proto__', 'flush-clicks%00', 'FLUSH-CLICKS'])(
  'the unknown job %s answers 404',
  async (name) => {
    expect((await web.client().post(`/api/v1/jobs/${name}`, {})).status).toBe(404);
    expect((await web.client().get(`/api/v1/jobs/${name}/1`)).status).toBe(404);
  },
);

test.each([
  '999999',
  'meta',
  'wait',
  'id',
  'events',
  'completed',
  'repeat',
  'stalled-check',
  '1:logs',
  '1:lock',
  '*',
  '%00',
  '%F0%9F%99%88',
  'a'.repeat(2_000),
])('the unknown job ID %s answers 404', async (id) => {
  await web.client().post('/api/v1/jobs/flush-clicks', {});
  const answer = await web.client().get(`/api/v1/jobs/flush-clicks/${id}`);
  expect(answer.status).toBe(404);
  expect(answer.headers.get('content-type')).toContain('application/problem+json');
});

test('a job is only found under its own name', async () => {
  const ids = await Promise.all(
    Array.from(
      { length: 5 },
      async () => (await web.client().post('/api/v1/jobs/warm-cache', {})).body['id'],
    ),
  );
  const last = ids.map(Number).toSorted((a, b) => b - a)[0]! + 100;
  expect((await web.client().get(`/api/v1/jobs/cleanup-expired/${last}`)).status).toBe(404);
});

test('jobs require an API key', async () => {
  expect((await web.client(null).post('/api/v1/jobs/flush-clicks', {})).status).toBe(401);
  expect((await web.client(null).get('/api/v1/jobs/flush-clicks/1')).status).toBe(401);
});
