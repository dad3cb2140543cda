import { describe, expect, test } from 'vitest';
import type { Fault } from './matrix/fault.ts';
import { postgresKilled } from './matrix/faults/postgres.ts';
import { webKilled, workerKilled } from './matrix/faults/processes.ts';
import { redisFlushed } from './matrix/faults/redis.ts';
import { runFault } from './matrix/run-fault.ts';
import { control, type System } from './matrix/system.ts';
import { useTestbed } from './matrix/use-testbed.ts';

const testbed = useTestbed();

/** On a busy machine Redis may answer late. A long acknowledgement timeout keeps visitors waiting, so that no click is only in memory when a process is
 *  killed. */
const patient = { CLICK_ACK_MS: '10000' };

/** The short form of `npm run test:faults`: the same stack, load, fault and checks, but without the limits on durations, which depend on
 *  the load of the machine. Fails with the log of the processes. */
async function injectTwice(system: System, fault: Fault) {
  const lines: string[] = [];
  const shortFault = { ...fault, times: 2, settings: { ...patient, ...fault.settings } };
  const row = await runFault(testbed(), system, shortFault, 'short', (line) => lines.push(line));
  if (row.problems.length > 0) throw new Error(lines.join('\n'));
  return row;
}

async function assertExact(fault: Fault) {
  const row = await injectTwice(testbed().linkmill, fault);
  expect(row).toMatchObject({ times: 2, lost: 0, doubleCounted: 0 });
  expect(row.answered).toBeGreaterThan(100);
}

describe.concurrent('under load, with two web and two worker processes', () => {
  test('every answered redirect is counted exactly once though web processes are killed', async () => {
    await assertExact(webKilled);
  });

  test('every answered redirect is counted exactly once though workers are killed', async () => {
    await assertExact(workerKilled);
  });

  test('every answered redirect is counted exactly once though Redis is emptied', async () => {
    await assertExact(redisFlushed);
  });

  test('a counter in Redis loses clicks when Redis is emptied, so the matrix detects losses', async () => {
    const row = await injectTwice(control, redisFlushed);
    expect(row.lost).toBeGreaterThan(0);
  });
});

test('every answered redirect is counted exactly once though PostgreSQL is killed under load', async () => {
  await assertExact(postgresKilled);
});
