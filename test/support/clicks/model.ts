import fc from 'fast-check';
import { v7 as uuidv7 } from 'uuid';
import { expect } from 'vitest';
import type { Batch } from '../../../src/clicks/click-batch.ts';
import type { ApplyResult, ClickStore } from '../../../src/clicks/ledger/apply.ts';
import { deduplicate } from '../../../src/clicks/ledger/deduplicate.ts';
import { advance, type LedgerEntry } from '../../../src/clicks/ledger/deduplicate.ts';
import type { StreamEntry, ClickStream } from '../../../src/clicks/stream/stream.ts';
import { flushClicks } from '../../../workers/jobs/flush-clicks.ts';
import { createJobContext } from '../job-context.ts';

/** A point at which a process may be overtaken by others, or die. */
export type Step = (where: string) => Promise<void>;

/** Redis with one shard, and the tables, as a click's way sees them. */
export interface Stores {
  urlIds: number[];
  stream: Pick<ClickStream, 'send' | 'readPending' | 'delete' | 'length'>;
  apply: (batches: Batch[], step: Step) => Promise<ApplyResult>;
  findApplied: ClickStore['findApplied'];
  /** Clicks per short URL, in the order of `urlIds`. */
  readCounts: () => Promise<number[]>;
  /** What happens to Redis' data. */
  redis: Record<'loses everything' | 'is copied' | 'is rolled back to the copy', () => Promise<void>>;
}

/** What the processes do, each one thing after the other, all of them at once. A process that dies at a step is started
 *  again for its next thing. */
export interface Plan {
  workers: (number | undefined)[][];
  webs: WebAction[][];
  redis: (keyof Stores['redis'] | 'is left alone')[];
}

interface WebAction {
  does: 'sends new batches' | 'sends again' | 'asks PostgreSQL and takes the rest there';
  /** Of each new batch: short URL and clicks. */
  clicks: [url: number, count: number][];
  diesAt: number | undefined;
}

const diesAt = fc.option(fc.nat(12), { nil: undefined, freq: 3 });
const webAction: fc.Arbitrary<WebAction> = fc.record({
  does: fc.constantFrom('sends new batches', 'sends again', 'asks PostgreSQL and takes the rest there'),
  clicks: fc.array(fc.tuple(fc.nat(2), fc.integer({ min: 1, max: 9 })), { minLength: 1, maxLength: 3 }),
  diesAt,
});

export const anyPlan: fc.Arbitrary<Plan> = fc.record({
  workers: fc.array(fc.array(diesAt, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 3 }),
  webs: fc.array(fc.array(webAction, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 2 }),
  redis: fc.array(
    fc.constantFrom('is left alone', 'is copied', 'is rolled back to the copy', 'loses everything'),
    { maxLength: 3 },
  ),
});

/** How a worker gets clicks from the stream into the tables. */
type Flush = (stream: ClickStream, store: ClickStore) => Promise<unknown>;

const flushAsTheJob: Flush = async (clickStream, clickStore) =>
  await flushClicks({ clickStream, clickStore }, [0], createJobContext());

/** Wrong: whoever dies in between has lost the clicks. */
export const deleteBeforeApply: Flush = async (stream, store) => {
  const entries = await stream.readPending(0);
  if (entries.length === 0) return;
  await stream.delete(
    0,
    entries.map((entry) => entry.entryId),
  );
  await store.apply(entries.map((entry) => entry.batch!));
};

export interface Play {
  /** Is passed at each step, before it. */
  interleave?: Step;
  flush?: Flush;
  /** Whether web processes keep batches until PostgreSQL has them; otherwise until Redis has. */
  keepsUntilConfirmed?: boolean;
}

/** Plays a plan and lets everything settle; then each batch that could be saved is counted once and none twice, per short
 *  URL, and nothing waits. A batch may only be missing when the web process died that kept it and Redis never had it or
 *  lost data as well. */
export async function judgePlan(
  plan: Plan,
  stores: Stores,
  { interleave = async () => {}, flush = flushAsTheJob, keepsUntilConfirmed = true }: Play = {},
): Promise<void> {
  const batches: Batch[] = [];
  const reachedRedis = new Set<Batch>();
  const orphaned = new Set<Batch>();

  const flushBy = async (step: Step) => {
    const { stream, store } = passBy(stores, step);
    await flush(stream as ClickStream, store as ClickStore);
  };

  async function playWorker(deaths: Plan['workers'][number]) {
    for (const at of deaths) await untilDeath(at, interleave, flushBy);
  }

  async function playWeb(actions: WebAction[]) {
    let web = createWeb();
    for (const { does, clicks, diesAt: at } of actions) {
      const died = await untilDeath(at, interleave, async (step) => {
        if (does === 'sends new batches') await web.send(web.make(clicks), step);
        else if (does === 'sends again') await web.send([...web.kept], step);
        else await web.confirm(step);
      });
      if (!died) continue;
      web.kept.forEach((batch) => orphaned.add(batch));
      web = createWeb();
    }
    return web;
  }

  async function playRedis() {
    for (const what of plan.redis) {
      await interleave(`Redis ${what}`);
      if (what !== 'is left alone') await stores.redis[what]();
    }
  }

  function createWeb() {
    const producer = uuidv7();
    const kept = new Set<Batch>();
    let seq = 0;
    let accepted = 0;
    return {
      kept,
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
          kept.add(batch);
          return batch;
        }),
      send: async (some: Batch[], step: Step) => {
        const sent = some.map(async (batch) => {
          await step('send');
          await stores.stream.send(batch);
          reachedRedis.add(batch);
          await step('sent');
          if (!keepsUntilConfirmed) kept.delete(batch);
        });
        await allOf(sent);
      },
      confirm: async (step: Step) => {
        const { store } = passBy(stores, step);
        const asked = [...kept];
        const applied = new Set(
          await store.findApplied(
            producer,
            asked.map((batch) => batch.seq),
          ),
        );
        const missing = asked.filter((batch) => !applied.has(batch.seq));
        if (missing.length > 0) await store.apply(missing);
        asked.forEach((batch) => kept.delete(batch));
      },
    };
  }

  const webs = plan.webs.map(playWeb);
  await allOf([...plan.workers.map(playWorker), playRedis(), ...webs.map(async (web) => void (await web))]);
  const calm = async () => {};
  for (const web of await Promise.all(webs)) await web.confirm(calm);
  while ((await stores.stream.length(0)) > 0) await flushBy(calm);

  const redisLostData = plan.redis.some((what) => what !== 'is left alone' && what !== 'is copied');
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
  const excused = (batch: Batch) => orphaned.has(batch) && (redisLostData || !reachedRedis.has(batch));
  expect(
    batches.filter((batch) => !applied.has(batch) && !excused(batch)),
    'lost',
  ).toEqual([]);
  const clicks = [...applied].flatMap((batch) => batch.clicks);
  expect(await stores.readCounts(), 'on short URLs').toEqual(
    stores.urlIds.map((id) =>
      clicks.reduce((sum, click) => (click.urlId === id ? sum + click.count : sum), 0),
    ),
  );
}

/** The stores, with a step before and after each command. */
function passBy(
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

const death = new Error('the process died');

/** Runs what a process does until it dies at the step of this number; resolves to whether it did. */
async function untilDeath(
  at: number | undefined,
  interleave: Step,
  run: (step: Step) => Promise<unknown>,
): Promise<boolean> {
  let steps = 0;
  const step: Step = async (where) => {
    await interleave(where);
    if (at !== undefined && steps >= at) throw death;
    steps += 1;
  };
  try {
    await run(step);
    return false;
  } catch (error) {
    if (error === death) return true;
    throw error;
  }
}

/** Waits for all of them, also when one fails. */
async function allOf(things: Promise<void>[]): Promise<void> {
  await Promise.allSettled(things);
  await Promise.all(things);
}

/** Redis and the tables in memory, for thousands of runs. A transaction is atomic, takes place only as a whole, and holds
 *  the ledger from reading it on; one whose process dies is rolled back. `without` leaves a part of that out. */
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
      // An empty stream begins its ids anew, which is worse than what Redis does.
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
