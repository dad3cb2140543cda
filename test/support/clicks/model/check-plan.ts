import fc from 'fast-check';
import { v7 as uuidv7 } from 'uuid';
import { expect } from 'vitest';
import type { Batch } from '../../../src/clicks/click-batch.ts';
import type { ApplyResult, ClickStore } from '../../../src/clicks/ledger/apply.ts';
import { advance, deduplicate, type LedgerEntry } from '../../../src/clicks/ledger/deduplicate.ts';
import type { StreamEntry, ClickStream } from '../../../src/clicks/stream/stream.ts';
import { flushClicks } from '../../../workers/jobs/flush-clicks.ts';
import { createJobContext } from '../job-context.ts';

/** A point at which other processes may run, or the process may crash. */
export type Step = (where: string) => Promise<void>;

/** Redis with one shard, and the tables of the ledger. */
export interface Stores {
  urlIds: number[];
  stream: Pick<ClickStream, 'send' | 'readPending' | 'delete' | 'length'>;
  apply: (batches: Batch[], step: Step) => Promise<ApplyResult>;
  findApplied: ClickStore['findApplied'];
  /** Clicks per short URL, in the order of `urlIds`. */
  readCounts: () => Promise<number[]>;
  /** Faults of Redis. */
  redis: Record<'loses everything' | 'is copied' | 'is rolled back to the copy', () => Promise<void>>;
}

/** Concurrent processes with their sequential actions. A process that crashes is restarted for its next action. */
export interface Plan {
  workers: (number | undefined)[][];
  webs: WebAction[][];
  redis: (keyof Stores['redis'] | 'is unchanged')[];
}

interface WebAction {
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

/** Moves clicks from the stream to the tables. */
type Flush = (stream: ClickStream, store: ClickStore) => Promise<unknown>;

const flushByJob: Flush = async (clickStream, clickStore) =>
  await flushClicks({ clickStream, clickStore }, [0], createJobContext());

/** Incorrect on purpose: a crash in between loses the clicks. */
export const deleteBeforeApply: Flush = async (stream, store) => {
  const entries = await stream.readPending(0);
  if (entries.length === 0) return;
  await stream.delete(
    0,
    entries.map((entry) => entry.entryId),
  );
  await store.apply(entries.map((entry) => entry.batch!));
};

export interface PlanOptions {
  /** Called before each step. */
  interleave?: Step;
  flush?: Flush;
  /** Whether web processes keep batches until PostgreSQL has them; otherwise until Redis has them. */
  keepsUntilConfirmed?: boolean;
}

/** Runs a plan to its end. Then each batch must be counted exactly once per short URL, and nothing may be pending. A
 *  batch may be missing only if its web process crashed, and Redis never had it or lost data. */
export async function checkPlan(
  plan: Plan,
  stores: Stores,
  { interleave = async () => {}, flush = flushByJob, keepsUntilConfirmed = true }: PlanOptions = {},
): Promise<void> {
  const batches: Batch[] = [];
  const reachedRedis = new Set<Batch>();
  const lostByCrash = new Set<Batch>();

  const flushBy = async (step: Step) => {
    const { stream, store } = withSteps(stores, step);
    await flush(stream as ClickStream, store as ClickStore);
  };

  async function runWorker(crashes: Plan['workers'][number]) {
    for (const at of crashes) await runUntilCrash(at, interleave, flushBy);
  }

  async function runWeb(actions: WebAction[]) {
    let web = createWeb();
    for (const { action, clicks, crashesAt: at } of actions) {
      const crashed = await runUntilCrash(at, interleave, async (step) => {
        if (action === 'sends new batches') await web.send(web.make(clicks), step);
        else if (action === 'sends again') await web.send([...web.outbox], step);
        else await web.confirm(step);
      });
      if (!crashed) continue;
      web.outbox.forEach((batch) => lostByCrash.add(batch));
      web = createWeb();
    }
    return web;
  }

  async function runRedis() {
    for (const what of plan.redis) {
      await interleave(`Redis ${what}`);
      if (what !== 'is unchanged') await stores.redis[what]();
    }
  }

  function createWeb() {
    const producer = uuidv7();
    const outbox = new Set<Batch>();
    let seq = 0;
    let accepted = 0;
    return {
      outbox,
      make: (clicks: WebAction['clicks']): Batch[] =>
        clicks.map(([url, count]) => {
          seq += 1;
          accepted += count;
          const batch = {
            producer,
            seq,
            accepted,
            clicks: [{ urlId: stores.urlIds[url]!, count, lastAtMs: 1_700_000_000_000 }],
          };
          batches.push(batch);
          outbox.add(batch);
          return batch;
        }),
      send: async (some: Batch[], step: Step) => {
        const sent = some.map(async (batch) => {
          await step('send');
          await stores.stream.send(batch);
          reachedRedis.add(batch);
          await step('sent');
          if (!keepsUntilConfirmed) outbox.delete(batch);
        });
        await allOf(sent);
      },
      confirm: async (step: Step) => {
        const { store } = withSteps(stores, step);
        const unconfirmed = [...outbox];
        const applied = new Set(
          await store.findApplied(
            producer,
            unconfirmed.map((batch) => batch.seq),
          ),
        );
        const missing = unconfirmed.filter((batch) => !applied.has(batch.seq));
        if (missing.length > 0) await store.apply(missing);
        unconfirmed.forEach((batch) => outbox.delete(batch));
      },
    };
  }

  const webs = plan.webs.map(runWeb);
  await allOf([...plan.workers.map(runWorker), runRedis(), ...webs.map(async (web) => void (await web))]);
  const noStep = async () => {};
  for (const web of await Promise.all(webs)) await web.confirm(noStep);
  while ((await stores.stream.length(0)) > 0) await flushBy(noStep);

  const redisLostData = plan.redis.some((what) => what !== 'is unchanged' && what !== 'is copied');
  const applied = new Set<Batch>();
  for (const producer of new Set(batches.map((batch) => batch.producer))) {
    const own = batches.filter((batch) => batch.producer === producer);
    const seqs = new Set(
      await stores.findApplied(
        producer,
        own.map((batch) => batch.seq),
      ),
    );
    own.filter((batch) => seqs.has(batch.seq)).forEach((batch) => applied.add(batch));
  }
  const mayBeMissing = (batch: Batch) =>
    lostByCrash.has(batch) && (redisLostData || !reachedRedis.has(batch));
  expect(
    batches.filter((batch) => !applied.has(batch) && !mayBeMissing(batch)),
    'lost',
  ).toEqual([]);
  const clicks = [...applied].flatMap((batch) => batch.clicks);
  expect(await stores.readCounts(), 'on short URLs').toEqual(
    stores.urlIds.map((id) =>
      clicks.reduce((sum, click) => (click.urlId === id ? sum + click.count : sum), 0),
    ),
  );
}

/** Wraps the stores with a step before and after each command. */
function withSteps(
  stores: Stores,
  step: Step,
): Pick<Stores, 'stream'> & { store: Pick<ClickStore, 'apply' | 'findApplied'> } {
  const around =
    <Args extends unknown[], Result>(name: string, command: (...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      await step(name);
      const result = await command(...args);
      await step(`${name}: answer`);
      return result;
    };
  return {
    stream: {
      send: around('send', stores.stream.send),
      readPending: around('readPending', stores.stream.readPending),
      delete: around('delete', stores.stream.delete),
      length: around('length', stores.stream.length),
    },
    store: {
      apply: around('apply', async (batches) => await stores.apply(batches, step)),
      findApplied: around('find applied', stores.findApplied),
    },
  };
}

const crash = new Error('the process crashed');

/** Runs an action until the process crashes at a step; resolves to whether it crashed. */
async function runUntilCrash(
  at: number | undefined,
  interleave: Step,
  run: (step: Step) => Promise<unknown>,
): Promise<boolean> {
  let steps = 0;
  const step: Step = async (where) => {
    await interleave(where);
    if (at !== undefined && steps >= at) throw crash;
    steps += 1;
  };
  try {
    await run(step);
    return false;
  } catch (error) {
    if (error === crash) return true;
    throw error;
  }
}

/** Waits for all promises, even if one rejects. */
async function allOf(promises: Promise<void>[]): Promise<void> {
  await Promise.allSettled(promises);
  await Promise.all(promises);
}

/** In-memory stores for thousands of runs. A transaction is atomic and locks the ledger from the first read; a crash
 *  rolls it back. `without` omits a part of this. */
export function createMemoryStores(without?: 'ledger check' | 'ledger lock'): Stores {
  const urlIds = [1, 2, 3];
  let counters = new Map<number, number>();
  let ledger = new Map<string, LedgerEntry>();
  let turn = Promise.resolve();
  let entries: StreamEntry[] = [];
  let lastId = 0;
  let copy = { entries, lastId };

  async function lockLedger(): Promise<() => void> {
    if (without === 'ledger lock') return () => {};
    const before = turn;
    let release!: () => void;
    turn = new Promise<void>((resolve) => {
      release = resolve;
    });
    await before;
    return release;
  }

  return {
    urlIds,
    stream: {
      send: async (batch) => {
        lastId += 1;
        entries = [...entries, { entryId: `${lastId}-0`, batch, raw: [] }];
        return `${lastId}-0`;
      },
      readPending: async () => entries.slice(0, 4),
      delete: async (_shard, entryIds) => {
        entries = entries.filter(({ entryId }) => !entryIds.includes(entryId));
      },
      length: async () => entries.length,
    },
    apply: async (batches, step) => {
      const release = await lockLedger();
      try {
        await step('read the ledger');
        const before = new Map(ledger);
        for (const { producer } of batches)
          if (!before.has(producer) || without === 'ledger check')
            before.set(producer, { appliedThrough: 0, outOfOrder: new Set() });
        const { newBatches, totals, duplicates } = deduplicate(before, batches);
        await step('add to the counters');
        const counted = new Map(counters);
        for (const { urlId, count } of totals) counted.set(urlId, (counted.get(urlId) ?? 0) + count);
        await step('advance the ledger');
        const after = new Map(ledger);
        for (const { producer, seq } of newBatches)
          after.set(producer, advance(after.get(producer) ?? before.get(producer)!, [seq]));
        await step('commit');
        counters = counted;
        ledger = after;
        return { batches: newBatches.length, clicks: 0, urls: totals.length, duplicates, deadLetters: 0 };
      } finally {
        release();
      }
    },
    findApplied: async (producer, seqs) => {
      const entry = ledger.get(producer);
      return entry ? seqs.filter((seq) => seq <= entry.appliedThrough || entry.outOfOrder.has(seq)) : [];
    },
    readCounts: async () => urlIds.map((id) => counters.get(id) ?? 0),
    redis: {
      // IDs restart in an empty stream, which is worse than in Redis.
      'loses everything': async () => {
        entries = [];
        lastId = 0;
      },
      'is copied': async () => {
        copy = { entries, lastId };
      },
      'is rolled back to the copy': async () => {
        ({ entries, lastId } = copy);
      },
    },
  };
}
