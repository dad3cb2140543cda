import { v7 as uuidv7 } from 'uuid';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { findFreePort } from '../../../scripts/services/ports.ts';
import { openClickStore } from '../../../src/analytics/click-store.ts';
import { createUrlIds, resetLedger, makeBatch } from '../../support/clicks/clicks.ts';
import { useWeb } from '../../support/http/web-app.ts';
import { sendRedirects } from '../../support/processes/load.ts';
import { runProcess, startProcess } from '../../support/processes/processes.ts';
import { createUrl } from '../../support/urls/urls.ts';
import { waitUntil } from '../../support/wait-until.ts';

// One web process, which reports to the ledger, and no worker.
const web = useWeb();
const db = () => web.database.db();
let settings: Record<string, string>;
beforeAll(() => {
  settings = { DATABASE_URL: web.database.url() };
});
afterEach(async () => await resetLedger(db()));

const reconcile = async (...args: string[]) => await runProcess('src/cli/reconcile.js', settings, args);

test('reconcile reports the clicks that are not yet counted, and "exact" after their flush', async () => {
  const code = await createUrl(web.client());
  // The lock delays counting until this transaction ends.
  const holder = await db().transaction();
  await holder.raw('select from url_stats for update');
  await sendRedirects(web.baseUrl(), Array<string>(40).fill(code), 4);
  const { producer } = await waitUntil('the web process has reported', async () => {
    const [row, ...others] = await db()('click_producers').where({ accepted: 40 });
    return others.length === 0 && row;
  });
  const before = await reconcile();
  expect(before.code).toBe(1);
  expect(before.stderr).toBe('');
  expect(before.stdout).toMatch(/^not exact\n/);
  expect(before.stdout).toContain('  40 clicks accepted by web processes\n');
  expect(before.stdout).toContain(
    `  producer ${producer}: 40 accepted, 0 counted: 40 missing, last seen at 20`,
  );

  const waiting = startProcess('src/cli/reconcile.js', settings, ['--wait', '20']);
  await waitUntil('the audit has run once', async () => {
    const { rows } = await db().raw(
      `select from pg_stat_activity where datname = current_database() and application_name = 'linkmill-reconcile'`,
    );
    return rows.length > 0;
  });
  await holder.commit();
  const flush = { ...settings, REDIS_URL: web.redis.url(), REDIS_PREFIX: web.redis.prefix };
  expect((await runProcess('workers/run-job.js', flush, ['flush-clicks'])).code).toBe(0);
  expect(await waiting.ended).toBe(0);
  expect(waiting.output().split('\n')[0]).toBe('exact');

  const after = await reconcile();
  expect(after.stdout).toContain('  40 clicks in the analytics\n');
  expect(after.code).toBe(0);
  expect(after.stdout.split('\n').slice(0, 4)).toEqual([
    'exact',
    '  40 clicks accepted by web processes',
    '  40 clicks counted by the ledger',
    '  40 clicks on short URLs',
  ]);

  await sendRedirects(web.baseUrl(), [code, code, code], 1);
  // The web process has not reported these clicks yet; `--wait` covers the delay.
  const atOnce = await reconcile('--wait', '15');
  expect(atOnce.code).toBe(0);
  expect(atOnce.stdout.split('\n').slice(0, 2)).toEqual(['exact', '  43 clicks accepted by web processes']);
});

test('a database without clicks is exact', async () => {
  const { code, stdout } = await reconcile();
  expect(code).toBe(0);
  expect(stdout.split('\n')[0]).toBe('exact');
});

test('reconcile --wait exits with code 1 and the missing clicks per producer at its deadline', async () => {
  const [url] = (await createUrlIds(db(), 1)) as [number];
  const [one, two] = [uuidv7(), uuidv7()];
  const store = openClickStore(db());
  await store.apply([makeBatch(one, 1, url, 5), makeBatch(two, 1, url, 5)]);
  await store.reportAccepted(one, 6);
  await store.reportAccepted(two, 12);
  const start = performance.now();
  const { code, stdout } = await reconcile('--wait', '1');
  expect(performance.now() - start).toBeGreaterThan(500);
  expect(code).toBe(1);
  expect(stdout.match(/producer .* missing/g)).toEqual([
    `producer ${two}: 12 accepted, 5 counted: 7 missing`,
    `producer ${one}: 6 accepted, 5 counted: 1 missing`,
  ]);
});

test('reconcile reports the surplus of a counter that was raised by hand', async () => {
  const [url] = (await createUrlIds(db(), 1)) as [number];
  await openClickStore(db()).apply([makeBatch(uuidv7(), 1, url, 5)]);
  await db()('url_stats').where({ url_id: url }).increment('click_count', 3);
  const { code, stdout } = await reconcile();
  expect(code).toBe(1);
  expect(stdout).toMatch(/short URLs: 5 in the ledger, 8 counted: 3 too many\n/);
});

test('reconcile reports a short URL whose roll-ups differ, even when every click is counted', async () => {
  const [url] = (await createUrlIds(db(), 1)) as [number];
  await openClickStore(db()).apply([makeBatch(uuidv7(), 1, url, 5)]);
  await db()('url_clicks_hourly').where({ url_id: url }).del();
  const { short_code: shortCode } = await db()('urls').where({ id: url }).first('short_code');
  const { code, stdout } = await reconcile();
  expect(code).toBe(1);
  expect(stdout.split('\n')[0]).toBe('not exact');
  expect(stdout).toContain('  5 clicks in the analytics\n');
  expect(stdout).toContain(`  short URL ${shortCode}, clicks by hour: 5 expected, 0 found\n`);

  // The clicks are older.
  const later = await reconcile('--since', '2100-01-01');
  expect(later.code).toBe(0);
  expect(later.stdout).toContain(
    '  0 short URLs clicked since 2100-01-01T00:00:00.000Z compared, and no others\n',
  );
});

test.each([
  [['--wait', 'long']],
  [['--wait', '-1']],
  [['--wait']],
  [['--wait', '3601']],
  [['--what']],
  [['now']],
])('reconcile with %j exits with code 2 and prints only the usage', async (args) => {
  const { code, stdout, stderr } = await reconcile(...args);
  expect(code).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toContain('\nUsage: npm run reconcile [-- --wait SECONDS] [--since TIME]\n');
});

test('reconcile exits with code 2 and the error when PostgreSQL or a table is missing', async () => {
  const port = await findFreePort();
  for (const host of ['127.0.0.1', 'localhost']) {
    const { code, stdout, stderr } = await runProcess('src/cli/reconcile.js', {
      DATABASE_URL: `postgres://unknown@${host}:${port}/none`,
    });
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^failed to read the audit: .*ECONNREFUSED.*\n$/);
  }
  await db().schema.renameTable('click_ledger_totals', 'click_ledger_totals_away');
  const { code, stderr } = await reconcile();
  await db().schema.renameTable('click_ledger_totals_away', 'click_ledger_totals');
  expect(code).toBe(2);
  expect(stderr).toContain('relation "click_ledger_totals" does not exist\n');
});
