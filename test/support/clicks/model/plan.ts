import fc from 'fast-check';
import type { Stores } from './stores.ts';

/** Concurrent processes with their sequential actions. A process that crashes is restarted for its next action. */
export interface Plan {
  workers: (number | undefined)[][];
  webs: WebAction[][];
  redis: (keyof Stores['redis'] | 'is unchanged')[];
}

export interface WebAction {
  action: 'sends new batches' | 'sends again' | 'confirms with PostgreSQL and writes the rest';
  /** Short URL and clicks of each new batch. */
  clicks: [url: number, count: number][];
  crashesAt: number | undefined;
}

const crashesAt = fc.option(fc.nat(12), { nil: undefined, freq: 3 });
const webAction: fc.Arbitrary<WebAction> = fc.record({
  action: fc.constantFrom('sends new batches', 'sends again', 'confirms with PostgreSQL and writes the rest'),
  clicks: fc.array(fc.tuple(fc.nat(2), fc.integer({ min: 1, max: 9 })), { minLength: 1, maxLength: 3 }),
  crashesAt,
});

export const anyPlan: fc.Arbitrary<Plan> = fc.record({
  workers: fc.array(fc.array(crashesAt, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 3 }),
  webs: fc.array(fc.array(webAction, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 2 }),
  redis: fc.array(
    fc.constantFrom('is unchanged', 'is copied', 'is rolled back to the copy', 'loses everything'),
    { maxLength: 3 },
  ),
});
