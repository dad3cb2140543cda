import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { get } from 'node:http';
import { createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { markProcess } from '../../../scripts/services/processes.ts';
import { createCodes, findMiscounted, readCounted } from '../../support/clicks/counts.ts';
import { placeWeb } from '../../support/processes/launch.ts';
import { startLoadOnAll, type Tally } from '../../support/processes/load.ts';
import { runProcess, startProcess, type TestProcess } from '../../support/processes/processes.ts';
import { useDatabase, useRedis } from '../../support/resources.ts';
import { waitUntil } from '../../support/wait-until.ts';

const database = useDatabase();
const redis = useRedis();
const token = 'token-of-the-metrics';
/** Moderate load: requests are always in progress, and the machine is not saturated. */
const thinkMs = () => 10;

const placeCluster = async (more: Record<string, string> = {}) =>
  await placeWeb({
    DATABASE_URL: database.url(),
    REDIS_URL: inject('redisUrl'),
    REDIS_PREFIX: redis.prefix,
    WEB_CONCURRENCY: '2',
    METRICS_TOKEN: token,
    ...more,
  });

/** Starts two web processes behind one port, with their primary process. */
async function startCluster() {
  const settings = await placeCluster();
  const primary = startProcess('src/web.js', settings);
  await waitUntilLogged(primary, 'all web processes have started');
  const readPids = () => {
    const { stdout } = spawnSync('pgrep', ['-P', String(primary.pid)], { encoding: 'utf8' });
    return stdout.split('\n').filter(Boolean).map(Number);
  };
  return { primary, settings, baseUrl: settings.BASE_URL, readPids };
}

/** Resolves once a line was logged `times` times; calls `check` before each look at the output. */
async function waitUntilLogged(process: TestProcess, line: string, times = 1, check = async () => {}) {
  const hasLogged = async () => {
    await check();
    return process.output().split(`"${line}"`).length > times;
  };
  await waitUntil(`"${line}"`, hasLogged, 45_000).catch((error: unknown) => {
    throw new Error(process.output(), { cause: error });
  });
}

const hasEnded = (pid: number) => markProcess(pid) === undefined;

/** Twelve clients with persistent connections, and four that open a connection for each request. */
function startBothLoads(baseUrl: string, persistentCodes: string[], newConnectionCodes: string[]) {
  return [
    startLoadOnAll([baseUrl], persistentCodes, { clients: 12, thinkMs }),
    startLoadOnAll([baseUrl], newConnectionCodes, { clients: 4, thinkMs, keepAlive: false }),
  ] as const;
}

async function waitUntilLoadsContinue(loads: readonly ReturnType<typeof startLoadOnAll>[]) {
  const before = loads.map((load) => load.answeredInAll());
  await waitUntil('the load continues', () =>
    loads.every((load, i) => load.answeredInAll() > before[i]! + 100),
  );
}

/** Flushes the clicks that wait in Redis, then asserts `answered ≤ counted ≤ sent` for each short URL. */
async function flushAndAssertCounts(settings: Record<string, string>, tallies: Tally[]) {
  expect(await runProcess('workers/run-job.js', settings, ['flush-clicks'])).toMatchObject({ code: 0 });
  const counted = await readCounted(database.db());
  expect(tallies.flatMap((tally) => findMiscounted(tally, counted))).toEqual([]);
}

/** Sends a request on a new connection; resolves to its status and body. */
async function fetchOnNewConnection(baseUrl: string, path: string, headers: Record<string, string> = {}) {
  const [response] = await once(get(`${baseUrl}${path}`, { agent: false, headers }), 'response');
  return { status: response.statusCode as number, body: await text(response) };
}

/** The samples of a metric by their labels. */
async function readMetric(baseUrl: string, name: string) {
  const { body } = await fetchOnNewConnection(baseUrl, '/metrics', { authorization: `Bearer ${token}` });
  const samples = body.split('\n').flatMap((line) => {
    const [, labels, value] = new RegExp(`^linkmill_${name}\\{(.*)\\} (\\S+)$`).exec(line) ?? [];
    return labels === undefined ? [] : [[labels, Number(value)] as const];
  });
  return Object.fromEntries(samples);
}

/** A cluster for the tests of one describe block, which may end it. */
function useCluster() {
  let cluster: Awaited<ReturnType<typeof startCluster>>;
  let codes: string[];
  beforeAll(async () => {
    cluster = await startCluster();
    codes = await createCodes(database.db(), cluster.baseUrl, 6);
  });
  afterAll(async () => {
    await cluster.primary.stop();
  });
  return () => ({ ...cluster, codes });
}

describe('two web processes behind one port', () => {
  const cluster = useCluster();

  test('the metrics cover each web process and report a hanging one as down', async () => {
    const { baseUrl, readPids, codes } = cluster();
    for (let i = 0; i < 40; i++) await fetchOnNewConnection(baseUrl, `/${codes[0]}`);
    const accepted = await readMetric(baseUrl, 'clicks_accepted_total');
    const up = await readMetric(baseUrl, 'web_process_up');

    const [hanging = 0] = readPids();
    process.kill(hanging, 'SIGSTOP');
    const start = performance.now();
    const upWithout = await readMetric(baseUrl, 'web_process_up');
    const ms = performance.now() - start;
    const acceptedWithout = await readMetric(baseUrl, 'clicks_accepted_total');
    process.kill(hanging, 'SIGCONT');

    expect(Object.keys(accepted)).toEqual(['process="1"', 'process="2"']);
    expect(Object.values(accepted).reduce((sum, clicks) => sum + clicks)).toBe(40);
    expect(up).toEqual({ 'process="1"': 1, 'process="2"': 1 });
    expect(Object.values(upWithout).toSorted((a, b) => a - b)).toEqual([0, 1]);
    expect(Object.keys(acceptedWithout)).toHaveLength(1);
    expect(ms).toBeLessThan(5_000);
  });

  test('the metrics report a hanging primary process and keep the values of the stores', async () => {
    const { baseUrl, primary } = cluster();
    primary.signal('SIGSTOP');
    const { status, body } = await fetchOnNewConnection(baseUrl, '/metrics', {
      authorization: `Bearer ${token}`,
    });
    primary.signal('SIGCONT');
    expect(status).toBe(200);
    expect(body).toContain('linkmill_web_primary_up 0');
    expect(body).toContain('linkmill_key_pool_size');
    expect(body).not.toContain('linkmill_clicks_accepted_total');
    const { body: after } = await fetchOnNewConnection(baseUrl, '/metrics', {
      authorization: `Bearer ${token}`,
    });
    expect(after).toContain('linkmill_web_primary_up 1');
  });

  test('SIGHUP keeps both web processes when a replacement dies before it listens', async () => {
    const { primary, baseUrl, readPids } = cluster();
    const before = readPids();
    primary.signal('SIGHUP');
    const replacement = await waitUntil('a new web process starts', () =>
      readPids().find((pid) => !before.includes(pid)),
    );
    process.kill(replacement, 'SIGKILL');
    await waitUntilLogged(primary, 'failed to replace a web process, keeping the remaining old ones');
    expect(readPids()).toEqual(before);
    expect((await fetchOnNewConnection(baseUrl, '/health/ready')).status).toBe(200);
  });

  test('SIGHUP under load replaces both web processes without a failed request or a lost click', async () => {
    const { primary, settings, baseUrl, readPids, codes } = cluster();
    const before = readPids();
    const loads = startBothLoads(baseUrl, codes.slice(1, 3), codes.slice(3));
    await waitUntil('the load runs', () => loads.every((load) => load.answeredInAll() > 300));

    primary.signal('SIGHUP');
    const readiness = new Set<number>();
    await waitUntilLogged(primary, 'the web processes are replaced', 1, async () => {
      readiness.add((await fetch(`${baseUrl}/health/ready`)).status);
    });
    await waitUntilLoadsContinue(loads);
    const tallies = await Promise.all(loads.map(async (load) => await load.stop()));

    expect(tallies.map(({ failures, refused }) => ({ failures, refused }))).toEqual([
      { failures: [], refused: 0 },
      { failures: [], refused: 0 },
    ]);
    expect([...readiness]).toEqual([200]);
    const after = readPids();
    expect(after).toHaveLength(2);
    expect(after.filter((pid) => before.includes(pid))).toEqual([]);
    await flushAndAssertCounts(settings, tallies);
  });

  test('Ctrl-C, which signals every process, ends the cluster with exit code 0', async () => {
    const { primary, readPids } = cluster();
    for (const pid of [primary.pid, ...readPids()]) process.kill(pid, 'SIGINT');
    expect(await primary.ended).toBe(0);
  });
});

describe('two web processes under load', () => {
  const cluster = useCluster();

  test('a killed web process is replaced without a refused connection or a lost answered click', async () => {
    const { primary, settings, baseUrl, readPids, codes } = cluster();
    const loads = startBothLoads(baseUrl, codes.slice(0, 2), codes.slice(2, 4));
    await waitUntil('the load runs', () => loads.every((load) => load.answeredInAll() > 300));

    const [victim = 0] = readPids();
    process.kill(victim, 'SIGKILL');
    await waitUntil('the killed web process has ended', () => hasEnded(victim));
    await waitUntilLoadsContinue(loads);
    await waitUntilLogged(primary, 'web is listening', 3);
    const tallies = await Promise.all(loads.map(async (load) => await load.stop()));

    expect(readPids()).toHaveLength(2);
    // The requests in progress on the killed process: at most one per client.
    expect(tallies.flatMap((tally) => tally.failures).length).toBeLessThanOrEqual(16);
    expect(tallies.map((tally) => tally.refused)).toEqual([0, 0]);
    await flushAndAssertCounts(settings, tallies);
  });

  test('web processes whose primary is killed finish their requests, lose no click and end', async () => {
    const { primary, settings, baseUrl, readPids, codes } = cluster();
    const load = startLoadOnAll([baseUrl], codes.slice(4), { clients: 12, thinkMs });
    await waitUntil('the load runs', () => load.answeredInAll() > 300);

    const pids = readPids();
    primary.signal('SIGKILL');
    await waitUntil('all web processes have ended', () => pids.every(hasEnded));
    const tally = await load.stop();

    expect(pids).toHaveLength(2);
    expect(await primary.ended).toBe('SIGKILL');
    // When the last process closes the port, the kernel resets unaccepted connections: at most one per client.
    expect(tally.failures.filter((failure) => failure !== 'ECONNRESET')).toEqual([]);
    expect(tally.failures.length).toBeLessThanOrEqual(12);
    await flushAndAssertCounts(settings, [tally]);
  });
});

test('a primary process whose web processes cannot listen gives up and exits with code 1', async () => {
  const holder = createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
  const { port } = holder.address() as { port: number };
  const { code, stdout } = await runProcess('src/web.js', await placeCluster({ PORT: String(port) }));
  holder.close();
  expect(code).toBe(1);
  expect(stdout).toContain('EADDRINUSE');
});

test('a second SIGTERM over 1 s after the first ends all processes, even a hanging one', async () => {
  const { primary, readPids } = await startCluster();
  const pids = readPids();
  process.kill(pids[0]!, 'SIGSTOP');
  let code: number | string | undefined;
  void primary.ended.then((result) => (code = result));
  const start = performance.now();
  await waitUntil('the primary has ended', () => {
    if (code === undefined) primary.signal('SIGTERM');
    return code !== undefined;
  });
  expect(code).toBe(1);
  expect(performance.now() - start).toBeLessThan(3_000);
  await waitUntil('all web processes have ended', () => pids.every(hasEnded));
});
