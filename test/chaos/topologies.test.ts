import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, expect, test } from 'vitest';
import { createApiKeys } from '../../src/api-keys/api-keys.ts';
import { readAudit } from '../../src/clicks/ledger/audit.ts';
import { openPostgres } from '../../src/storage/postgres/postgres.ts';
import { createCodes, findMiscounted, readCounted } from '../support/clicks/counts.ts';
import { readHealth } from '../support/http/health.ts';
import { formatMarkdownTable } from '../support/http/markdown-table.ts';
import { startLoadOnAll } from '../support/processes/load.ts';
import { describeMachine } from '../support/processes/machine.ts';
import { runProcess, startWeb, startWorker } from '../support/processes/processes.ts';
import { type Stores, type Topology, topologies } from '../support/topologies/topologies.ts';
import { walk } from '../support/topologies/walk.ts';
import { waitUntil } from '../support/wait-until.ts';

/** Where `npm run test:topologies` writes its table; undefined in other runs. */
const reportFile = process.env['TOPOLOGIES_FILE'];
const thinkMs = 100;

interface Row {
  topology: Topology;
  checks: string;
  answered: number;
  lost: number;
  doubleCounted: number;
  failed: number;
  p99Ms: number;
  healthyAfterSeconds: number;
}

const rows: Row[] = [];

test.each(topologies.map((topology) => [topology.name, topology] as const))(
  '%s: the whole API works, and a kill under load loses no click and counts none twice',
  async (_, topology) => {
    const stores = await topology.open();
    try {
      const row = await judge(topology, stores);
      rows.push(row);
      process.stdout.write(`${formatTable([row])}\n`);
      expect([row.lost, row.doubleCounted, row.failed]).toEqual([0, 0, 0]);
    } finally {
      await stores.stop();
    }
  },
);

afterAll(async () => {
  if (reportFile === undefined || rows.length < topologies.length) return;
  await writeFile(reportFile, await formatReport());
});

async function judge(topology: Topology, { settings, hurt }: Stores): Promise<Row> {
  const migration = await runProcess('src/cli/migrate.js', settings);
  expect(migration.code, migration.stderr).toBe(0);
  const { workers: workerArgs = [[], []] } = topology;
  const [webs, workers] = await Promise.all([
    // The walk signs in from several addresses.
    Promise.all([1, 2].map(async () => await startWeb({ ...settings, TRUSTED_PROXY_HOPS: '1' }))),
    Promise.all(workerArgs.map(async (args) => await startWorker(settings, args))),
  ]);
  const baseUrls = webs.map(({ baseUrl }) => baseUrl) as [string, string];
  const areHealthy = async () => {
    const reports = await Promise.all(baseUrls.map(readHealth));
    // A promotion is reported for ten minutes.
    const conditions = reports
      .flatMap((report) => report.conditions)
      .filter(({ code }) => code !== 'database_epoch_changed');
    const areUp = reports.every(({ checks }) => Object.values(checks).every(({ status }) => status === 'up'));
    // A failure shows it.
    if (conditions.length > 0 || !areUp) throw new Error(JSON.stringify(reports));
    return true;
  };
  const db = openPostgres({
    url: settings['DATABASE_DIRECT_URL'] ?? settings['DATABASE_URL']!,
    poolMax: 2,
    queryTimeoutMs: 20_000,
    name: 'topology-test',
  });
  try {
    await waitUntil('the service is healthy', areHealthy, 30_000);
    const { key } = await createApiKeys(db).create('walk');
    const walked = await walk(baseUrls, key);
    expect(walked.failed).toEqual([]);
    expect(await findMissing(walked.requested)).toEqual([]);

    const codes = await createCodes(db, baseUrls[0], 20);
    const load = startLoadOnAll(baseUrls, codes, { thinkMs: () => Math.random() * 2 * thinkMs });
    await waitUntil('the load runs', () => load.answeredInAll() > 500);
    const hurtAt = performance.now();
    await hurt(workers);
    await waitUntil('the service is healthy again', areHealthy, 60_000);
    const healthyAfterSeconds = (performance.now() - hurtAt) / 1_000;
    const before = load.answeredInAll();
    await waitUntil('redirects go on', () => load.answeredInAll() > before + 500);
    const tally = await load.stop();
    await waitUntil(
      'answered clicks are counted',
      async () => findMiscounted(tally, await readCounted(db)).length === 0,
      20_000,
    );
    const ends = await Promise.all([...webs, ...workers].map(async (one) => await one.stop()));
    expect(ends.filter((end) => end !== 0 && end !== 'SIGKILL')).toEqual([]);
    const miscounted = findMiscounted(tally, await readCounted(db));
    const sum = (read: (one: (typeof miscounted)[number]) => number) =>
      miscounted.reduce((total, one) => total + Math.max(0, read(one)), 0);
    const audit = await readAudit(db);
    expect(audit.counted).toBe(audit.onUrls + audit.purged);
    const latencies = tally.latenciesMs.toSorted((a, b) => a - b);
    return {
      topology,
      checks: `${walked.checks.length} of ${walked.checks.length}`,
      answered: latencies.length,
      lost: sum(({ answered, count }) => answered - count),
      doubleCounted: sum(({ sent, count }) => count - sent),
      failed: tally.failures.length,
      p99Ms: latencies[Math.floor(latencies.length * 0.99)]!,
      healthyAfterSeconds,
    };
  } finally {
    for (const one of [...webs, ...workers]) one.signal('SIGKILL');
    await db.destroy();
  }
}

/** The operations of the API that were not requested; single sign-on needs a provider. */
async function findMissing(requested: Set<string>): Promise<string[]> {
  const { paths } = JSON.parse(await readFile('docs/openapi.json', 'utf8')) as {
    paths: Record<string, Record<string, object>>;
  };
  const operations = Object.entries(paths).flatMap(([path, item]) =>
    Object.keys(item)
      .filter((method) => method !== 'parameters')
      .map((method) => ({ method: method.toUpperCase(), path })),
  );
  return operations
    .filter(({ path }) => !path.includes('/oidc'))
    .filter(({ method, path }) => {
      const pattern = new RegExp(
        `^${method} ${path.replaceAll('+', String.raw`\+`).replaceAll(/\{\w+\}/g, '[^/]+')}$`,
      );
      return ![...requested].some((request) => pattern.test(request));
    })
    .map(({ method, path }) => `${method} ${path}`);
}

function formatTable(some: Row[]): string {
  return formatMarkdownTable(
    [
      'topology',
      'killed',
      'checks',
      'answered',
      'lost',
      'counted twice',
      'failed',
      'p99 ms',
      'healthy after s',
    ],
    some.map((row) => [
      row.topology.name,
      row.topology.killed,
      row.checks,
      String(row.answered),
      String(row.lost),
      String(row.doubleCounted),
      String(row.failed),
      row.p99Ms.toFixed(0),
      row.healthyAfterSeconds.toFixed(1),
    ]),
  );
}

const describeOthers = `Longer and other faults, one at a time, are in [Click counts under faults](faults.md). [Scaling](scaling.md) says when to use which topology,
[Connections](operations.md#connections) how to configure it.`;

async function formatReport(): Promise<string> {
  return `# Topologies

Generated by \`npm run test:topologies\`. Each topology runs for real, with two web processes and two or three workers of a fresh build. A walk
requests every operation of the API but single sign-on; what one web process changes is read from the other one. Then 20 clients request 20 short URLs from both
while what hurts most is killed (\`SIGKILL\`). Every answered redirect must be counted once: \`answered ≤ counted ≤ sent\` for each short URL.

${formatTable(rows)}

*Failed* requests got no redirect. *p99* is that of all answered redirects, also while something was away. *Healthy after* is the time from the kill
until both web processes report no condition, except that a database was promoted; PgBouncer connects again after 15 s (\`server_login_retry\`).

${describeOthers}

${new Date().toISOString().slice(0, 10)}; ${await describeMachine({})}.
`;
}
