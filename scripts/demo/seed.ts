import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { openClickStore } from '../../src/analytics/click-store.ts';
import { createProducerId } from '../../src/clicks/batch-epochs.ts';
import type { Batch } from '../../src/clicks/click-batch.ts';
import { type Knex, openPostgres } from '../../src/storage/postgres/postgres.ts';
import { createUsageStore } from '../../src/urls/access/usage-store.ts';
import { type CreatedLink, createDemoBatches } from './clicks.ts';
import { createDemoLinks, type DemoLink } from './links.ts';
import { createRandom } from './random.ts';

/** What makes a second start continue, and not repeat, the first. */
const markSchema = z.object({
  epoch: z.string(),
  producer: z.string(),
  now: z.coerce.date(),
  isComplete: z.boolean(),
});
type Mark = z.output<typeof markSchema>;

const queryTimeoutMs = 60_000;
/** Days whose clicks one transaction counts. */
const batchesPerTransaction = 8;
const seeds = { links: 1, clicks: 2 };

/** Fills a running service with 200 links and their clicks of 30 days, once: links come from its API, and clicks pass its ledger, so that counters,
 *  click events and roll-ups agree. A start after an interrupted one continues: requests have an idempotency key, and the ledger counts no batch
 *  twice. Resolves to the number of links and clicks; undefined if they exist already. */
export async function seedDemo(service: {
  baseUrl: string;
  apiKey: string;
  databaseUrl: string;
  /** The folder of the local stack, for the mark of what is done. */
  folder: string;
}): Promise<{ links: number; clicks: number } | undefined> {
  const db = openPostgres({ url: service.databaseUrl, poolMax: 2, queryTimeoutMs, name: 'demo' });
  const file = path.join(service.folder, 'run/demo.json');
  try {
    const mark = await readMark(db, file);
    if (mark.isComplete) return undefined;
    writeMark(file, mark);
    const links = await createLinks(createDemoLinks(createRandom(seeds.links), mark.now), service, mark);
    await writeHistory(db, links);
    const batches = createDemoBatches(links, { ...mark, random: createRandom(seeds.clicks) });
    await countClicks(db, batches);
    await useUpLimits(db, links, batches);
    await visitAsStrangers(service, links);
    writeMark(file, { ...mark, isComplete: true });
    return { links: links.length, clicks: batches.at(-1)?.accepted ?? 0 };
  } finally {
    await db.destroy();
  }
}

/** The mark of this database, or a new one. */
async function readMark(db: Knex, file: string): Promise<Mark> {
  const { epoch } = (await db('database_epochs').orderBy('number', 'desc').first('epoch')) as {
    epoch: string;
  };
  const stored = existsSync(file)
    ? markSchema.safeParse(JSON.parse(readFileSync(file, 'utf8'))).data
    : undefined;
  if (stored?.epoch === epoch) return stored;
  return { epoch, producer: createProducerId(epoch), now: new Date(), isComplete: false };
}

function writeMark(file: string, mark: Mark): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify(mark));
}

const answerSchema = z.object({
  results: z.array(z.object({ status: z.number(), url: z.object({ id: z.number() }).optional() })),
});

/** Creates the links with the API. A link whose custom code is taken is left out. */
async function createLinks(
  links: DemoLink[],
  { baseUrl, apiKey }: { baseUrl: string; apiKey: string },
  { producer }: Mark,
): Promise<CreatedLink[]> {
  const response = await fetch(`${baseUrl}/api/v1/urls/bulk`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-api-key': apiKey,
      'idempotency-key': `demo-${producer}`,
    },
    body: JSON.stringify({ urls: links.map(({ input }) => input) }),
  });
  if (!response.ok)
    throw new Error(`creating demo links failed: ${response.status} ${await response.text()}`);
  const { results } = answerSchema.parse(await response.json());
  return results.flatMap(({ url }, i) => (url === undefined ? [] : [{ ...links[i]!, urlId: url.id }]));
}

/** Gives links their age, and an expiry in the past, as another program would: the triggers of the table tell the service. */
async function writeHistory(db: Knex, links: CreatedLink[]): Promise<void> {
  await db.transaction(async (trx) => {
    await trx.raw("set local application_name = 'demo'");
    for (const { urlId, createdAt, expiredAt } of links) {
      await trx('urls')
        .where({ id: urlId })
        .update({ created_at: createdAt, ...(expiredAt && { expires_at: expiredAt }) });
    }
  });
}

async function countClicks(db: Knex, batches: Batch[]): Promise<void> {
  const store = openClickStore(db);
  for (let i = 0; i < batches.length; i += batchesPerTransaction)
    await store.apply(batches.slice(i, i + batchesPerTransaction));
}

/** Counts the clicks of links with a click limit as used, unless an interrupted start has. */
async function useUpLimits(db: Knex, links: CreatedLink[], batches: Batch[]): Promise<void> {
  const used = new Set<number>(await db('url_usage').pluck('url_id'));
  const limited = new Set(
    links
      .filter(({ maxClicks, urlId }) => maxClicks !== undefined && !used.has(urlId))
      .map(({ urlId }) => urlId),
  );
  const counts = new Map<number, number>();
  for (const { urlId, count } of batches.flatMap(({ clicks }) => clicks))
    if (limited.has(urlId)) counts.set(urlId, (counts.get(urlId) ?? 0) + count);
  await createUsageStore(db).claim([...counts].map(([urlId, count]) => ({ urlId, count })));
}

/** Requests of unknown codes, and reports. */
async function visitAsStrangers({ baseUrl }: { baseUrl: string }, links: DemoLink[]): Promise<void> {
  for (const [code, times] of [
    ['spring-sales', 5],
    ['wp-login', 4],
    ['student-discounts', 3],
  ] as const)
    for (let i = 0; i < times; i++) await fetch(`${baseUrl}/${code}`);
  const [code] = links.flatMap(({ input }) => input['custom_code'] ?? []);
  await fetch(`${baseUrl}/report`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({ short_code: code, reason: 'spam', comment: 'I did not subscribe to this.' }),
  });
}
