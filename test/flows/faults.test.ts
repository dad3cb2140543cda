import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type Bench, openBench } from '../faults/bench.ts';
import { postgresKilled } from '../faults/faults/postgres.ts';
import { webKilled, workerKilled } from '../faults/faults/processes.ts';
import { redisFlushed } from '../faults/faults/redis.ts';
import { runFault } from '../faults/run-fault.ts';
import { control } from '../faults/system.ts';
import { track } from '../support/resources.ts';

/** The short form of `npm run test:faults`: the same stack, load, faults and judge. */
const seed = 'short';
const lines: string[] = [];
const say = (line: string) => void lines.push(line);

let bench: Bench;
let closed: () => void;

beforeAll(async () => {
  bench = await openBench(inject('buildFolder'));
  closed = track('PostgreSQL server');
});

afterAll(async () => {
  await bench.close();
  closed();
});

test.each([webKilled, workerKilled, redisFlushed, postgresKilled])(
  'under load, when $does, every answered redirect is counted exactly once',
  async (fault) => {
    const row = await runFault(bench, bench.linkmill, { ...fault, times: 2 }, seed, say);
    if (row.problems.length > 0) throw new Error(lines.join('\n'));
    expect(row).toMatchObject({ times: 2, lost: 0, doubled: 0 });
    expect(row.answered).toBeGreaterThan(1_000);
  },
  60_000,
);

test('the usual way of counting loses clicks under FLUSHALL, so a loss would be noticed', async () => {
  const row = await runFault(bench, control, { ...redisFlushed, times: 2 }, seed, say);
  expect(row.problems).toEqual([]);
  expect(row.lost).toBeGreaterThan(0);
}, 60_000);
