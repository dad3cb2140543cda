import { afterAll, beforeAll, inject } from 'vitest';
import { track } from '../../support/resources.ts';
import { type Testbed, openTestbed } from './testbed.ts';

/** Opens a testbed for a test file, with the build of the test run. */
export function useTestbed(): () => Testbed {
  let testbed: Testbed;
  let closed: () => void;
  beforeAll(async () => {
    testbed = await openTestbed(inject('buildFolder'));
    closed = track('PostgreSQL server');
  });
  afterAll(async () => {
    await testbed.close();
    closed();
  });
  return () => testbed;
}
