import { afterAll, beforeAll, inject } from 'vitest';
import { track } from '../../support/resources.ts';
import { type Bench, openBench } from './bench.ts';

/** A bench for a test file, on the build of the run; it is there once the tests run. */
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
