import { v7 as uuidv7 } from 'uuid';
import { expect } from 'vitest';
import type { Batch } from '../../../../src/clicks/click-batch.ts';
import type { ClickStore } from '../../../../src/clicks/ledger/apply.ts';
import type { ClickStream } from '../../../../src/clicks/stream/stream.ts';
import { flushClicks } from '../../../../workers/jobs/clicks/flush-clicks.ts';
import { createJobContext } from '../../job-context.ts';
import type { Plan, WebAction } from './plan.ts';
import { runUntilCrash, withSteps } from './steps.ts';
import type { Step, Stores } from './stores.ts';

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

/** Waits for all promises, even if one rejects. */
async function allOf(promises: Promise<void>[]): Promise<void> {
  await Promise.allSettled(promises);
  await Promise.all(promises);
}
