import { expect, test } from 'vitest';
import { useTestbed } from '../chaos/matrix/use-testbed.ts';
import { listFailures } from './day/report.ts';
import { runDay } from './day/run-day.ts';

const testbed = useTestbed();

/** The short form of `npm run test:day`. */
test('the analytics of a day under load equal the requests sent, across hours and midnights', async () => {
  const outcome = await runDay(testbed(), { seed: 'short', clicks: 20_000, print: () => {} });
  expect(listFailures(outcome)).toEqual([]);
  expect(outcome.sent).toHaveLength(20_000);
}, 600_000);
