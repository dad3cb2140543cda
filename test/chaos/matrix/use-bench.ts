import { afterAll, beforeAll, inject } from 'vitest';
import { track } from '../../support/resources.ts';
import { type Bench, openBench } from './bench.ts';

/** Opens a bench for a test file, with the build of the test run. */
export function useBench(): () => Bench {
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
  return () => bench;
}
