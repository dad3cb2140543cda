import { parseArgs } from 'node:util';
import { v7 as uuidv7 } from 'uuid';
import { openClickStore } from '../../src/analytics/click-store.ts';
import { createClickSegments } from '../../src/analytics/rollups/segments.ts';
import type { Batch, ClickCount } from '../../src/clicks/click-batch.ts';
import { type Knex, openPostgres } from '../../src/storage/postgres/postgres.ts';
import { migrate } from '../../src/storage/schema/migrations.ts';
import { storeClicks } from '../../test/support/clicks/stored-clicks.ts';
import { createRandom, createZipf } from '../../test/support/random.ts';
import { startTestPostgres } from '../../test/support/services/servers.ts';
import { insertUrls } from '../../test/support/urls/urls.ts';
import { medianOf } from '../median.ts';

/** `npm run bench:analytics [-- --rows 1000000,50000000]`: measures how many fully detailed clicks PostgreSQL applies
 *  per second, with this number of rows from the last 90 days and their roll-ups. */
const urls = 10_000;
const days = 90;
const clicksPerFlush = 20_000;
const clicksPerBatch = 20;
const warmUps = 3;
/** Together half a million clicks, after which a segment is rolled up. */
const flushes = 22;

const levels = readLevels();
const postgres = await startTestPostgres({ keepsCommits: true });
const db = openPostgres({ url: postgres.url, poolMax: 4, queryTimeoutMs: 3_600_000, name: 'bench' });
try {
  await migrate(db);
  await insertUrls(db, { begin: 'analytics', count: urls, areClicked: false });
  const urlIds = await db('urls').orderBy('id').pluck<number[]>('id');
  const makeClick = createClicks(urlIds);
  let stored = 0;
  for (const rows of levels) {
    await storeClicks(db, { urls, days, clicks: rows - stored, rolledUp: 0.1 });
    stored = rows;
    const { flush, flushAndRollUp } = await measure(db, makeClick);
    console.log(
      `${rows} rows, ${await sizeOf(db)}: ${flush} clicks a second, ${flushAndRollUp} with their roll-up`,
    );
  }
} finally {
  await db.destroy();
  await postgres.stop();
}

/** Clicks by Zipf's law on short URLs, from 60 countries, with 500 agents and 300 referrers, 15 % of them from bots. */
function createClicks(urlIds: number[]): () => ClickCount {
  const random = createRandom('analytics');
  const names = (name: string, count: number) => Array.from({ length: count }, (_, i) => `${name}${i}`);
  const pickUrl = createZipf(urlIds, random);
  const pickCountry = createZipf(names('C', 60), random);
  const pickReferrer = createZipf(
    names('host', 300).map((name) => `${name}.example`),
    random,
  );
  const pickAgent = createZipf(names('', 500).map(Number), random);
  return () => {
    const agent = pickAgent();
    return {
      urlId: pickUrl(),
      count: 1,
      lastAtMs: Date.now(),
      detail: {
        country: pickCountry(),
        referrer: pickReferrer(),
        browser: `Browser ${agent % 20}`,
        os: `System ${agent % 8}`,
        device: ['mobile', 'tablet', 'desktop'][agent % 3]!,
        isBot: random.next() < 0.15,
        visitor: random.between(0, 1_000_000).toString(16).padStart(16, '0'),
      },
    };
  };
}

/** Clicks per second: the median of the flushes, and of all flushes with the roll-up that follows them. */
async function measure(
  db: Knex,
  makeClick: () => ClickCount,
): Promise<{ flush: number; flushAndRollUp: number }> {
  const store = openClickStore(db);
  const producer = uuidv7();
  let seq = 0;
  const segments = createClickSegments(db);
  const times: number[] = [];
  for (let flush = -warmUps; flush < flushes; flush++) {
    const batches = Array.from({ length: clicksPerFlush / clicksPerBatch }, (): Batch => {
      seq += 1;
      const clicks = Array.from({ length: clicksPerBatch }, makeClick);
      return { producer, seq, accepted: seq * clicksPerBatch, clicks };
    });
    if (flush === 0) await segments.rollUp({ always: true });
    const start = performance.now();
    await store.apply(batches);
    if (flush >= 0) times.push(performance.now() - start);
  }
  const start = performance.now();
  await segments.rollUp({ always: true });
  const rollUpMs = performance.now() - start;
  const perSecond = (clicks: number, ms: number) => Math.round((clicks / ms) * 1_000);
  return {
    flush: perSecond(clicksPerFlush, medianOf(times)),
    flushAndRollUp: perSecond(
      flushes * clicksPerFlush,
      times.reduce((sum, ms) => sum + ms, rollUpMs),
    ),
  };
}

async function sizeOf(db: Knex): Promise<string> {
  const { rows } = await db.raw<{ rows: { size: string }[] }>(
    'select pg_size_pretty(pg_database_size(current_database())) as size',
  );
  return rows[0]!.size;
}

function readLevels(): number[] {
  const { values } = parseArgs({ options: { rows: { type: 'string', default: '0,1000000' } } });
  return values.rows.split(',').map(Number);
}
