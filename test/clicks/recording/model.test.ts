import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { v7 as uuidv7 } from 'uuid';
import { describe, expect, test } from 'vitest';
import { openClickStore } from '../../../src/analytics/click-store.ts';
import { isExact, readAudit } from '../../../src/clicks/ledger/audit.ts';
import { createClickStream } from '../../../src/clicks/stream/stream.ts';
import { createUrlIds, readCounts } from '../../support/clicks/clicks.ts';
import { checkPlan, deleteBeforeApply, type PlanOptions } from '../../support/clicks/model/check-plan.ts';
import { createMemoryStores } from '../../support/clicks/model/memory-stores.ts';
import { anyPlan } from '../../support/clicks/model/plan.ts';
import type { Stores } from '../../support/clicks/model/stores.ts';
import { uniquePrefix, useDatabase, useRedis } from '../../support/resources.ts';

const { db } = useDatabase();
const { redis, prefix } = useRedis();

// A failure prints the seed; FC_SEED=… repeats the same plans.
const seed = process.env['FC_SEED'];
const runs = (numRuns: number) => ({ numRuns, ...(seed ? { seed: Number(seed) } : {}) });

describe('in memory, with interleaving and crashes at any step', () => {
  const property = (open: () => Stores, options: PlanOptions = {}) =>
    fc.asyncProperty(anyPlan, fc.scheduler(), async (plan, scheduler) => {
      const interleave = async (where: string) => await scheduler.schedule(Promise.resolve(), where);
      await scheduler.waitFor(checkPlan(plan, open(), { ...options, interleave }));
    });

  test('for any order of sends, flushes, losses and repeats, each batch is counted exactly once', async () => {
    await fc.assert(
      property(() => createMemoryStores()),
      runs(4_000),
    );
  });

  test.each([
    ['the ledger were not checked', () => createMemoryStores('ledger check'), {}],
    ['the ledger were read without a lock', () => createMemoryStores('ledger lock'), {}],
    ['workers delete entries before they apply them', createMemoryStores, { flush: deleteBeforeApply }],
    [
      'web processes keep batches only until Redis has them',
      createMemoryStores,
      { keepsUntilConfirmed: false },
    ],
  ] as const)('the model detects if %s', async (_, open, options) => {
    const found = property(() => open(), options);
    const { errorInstance } = await fc.check(found, { ...runs(4_000), endOnFailure: true });
    expect(errorInstance).toMatchObject({ name: 'AssertionError' });
  });
});

describe('on PostgreSQL and Redis, with concurrent processes', () => {
  async function openStores(): Promise<Stores> {
    const own = `${prefix}-${uniquePrefix()}`;
    const [key, copy] = [`${own}:clicks:{0}`, `${own}:copy:{0}`];
    const store = openClickStore(db());
    const urlIds = await createUrlIds(db(), 3);
    return {
      urlIds,
      stream: createClickStream(redis(), { prefix: own, shards: 1 }),
      apply: async (batches) => await store.apply(batches),
      findApplied: store.findApplied,
      readCounts: async () => await readCounts(db(), urlIds),
      redis: {
        'loses everything': async () => void (await redis().del(key)),
        'is copied': async () => {
          await redis().del(copy);
          await redis().copy(key, copy);
        },
        'is rolled back to the copy': async () => {
          const hasCopy = await redis().copy(copy, key, 'REPLACE');
          if (!hasCopy) await redis().del(key);
        },
      },
    };
  }

  /** Each step takes several event loop turns. */
  const property = (open: () => Promise<Stores>) =>
    fc.asyncProperty(anyPlan, fc.infiniteStream(fc.nat(4)), async (plan, turns) => {
      const interleave = async () => {
        for (let left = turns.next().value ?? 0; left > 0; left--) await setImmediate();
      };
      await checkPlan(plan, await open(), { interleave });
    });

  test('for any plan, each batch is counted exactly once and the counters match the ledger', async () => {
    await fc.assert(property(openStores), runs(200));
    const audit = await readAudit(db());
    expect(audit.counted).toBeGreaterThan(500);
    expect(audit.counted).toBe(audit.onUrls + audit.purged);
    // Producers that crashed with clicks that Redis lost.
    for (const { accepted, counted } of audit.differing) expect(counted).toBeLessThan(accepted);
    expect(isExact({ ...audit, differing: [] })).toBe(true);
  });

  test('the model detects if the ledger does not recognize duplicates', async () => {
    const forgetful = async (): Promise<Stores> => {
      const stores = await openStores();
      return {
        ...stores,
        // A batch with a new identity counts as new.
        apply: async (batches, step) => {
          await stores.apply(batches, step);
          return await stores.apply(
            batches.map((batch) => ({ ...batch, producer: uuidv7() })),
            step,
          );
        },
      };
    };
    const { errorInstance } = await fc.check(property(forgetful), { ...runs(200), endOnFailure: true });
    expect(errorInstance).toMatchObject({ name: 'AssertionError' });
  });
});
