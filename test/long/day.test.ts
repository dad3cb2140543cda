import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { listFailures } from '../day/report.ts';
import { runDay } from '../day/run-day.ts';
import { type Bench, openBench } from '../faults/bench.ts';
import { track } from '../support/resources.ts';

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

/** The short form of `npm run test:day`. */
test('every figure of the analytics is what was sent on a day, over both midnights, with each hour crossed under load', async () => {
  const outcome = await runDay(bench, { seed: 'short', clicks: 20_000, say: () => {} });
  expect(listFailures(outcome)).toEqual([]);
  expect(outcome.sent).toHaveLength(20_000);
}, 600_000);
