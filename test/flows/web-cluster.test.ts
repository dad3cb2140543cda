import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { get } from 'node:http';
import { createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, inject, test } from 'vitest';
import { markProcess } from '../../scripts/services/processes.ts';
import { createCodes, findMiscounted, readCounted } from '../support/counts.ts';
import { placeWeb } from '../support/launch.ts';
import { startLoadOnAll, type Tally } from '../support/load.ts';
import { runProcess, startProcess, type TestProcess } from '../support/processes.ts';
import { uniquePrefix, useDatabase } from '../support/resources.ts';
import { waitUntil } from '../support/wait-until.ts';

const database = useDatabase();
const token = 'token-of-the-metrics';

/** Two web processes behind one port, with their primary process. */
async function startCluster(more: Record<string, string> = {}) {
  const settings = await placeWeb({
    DATABASE_URL: database.url(),
    REDIS_URL: inject('redisUrl'),
    REDIS_PREFIX: uniquePrefix(),
    WEB_CONCURRENCY: '2',
    METRICS_TOKEN: token,
    ...more,
  });
  const primary = startProcess('src/web.js', settings);
  await says(primary, 'all web processes have started');
  const readPids = () => {
    const { stdout } = spawnSync('pgrep', ['-P', String(primary.pid)], { encoding: 'utf8' });
    return stdout.split('\n').filter(Boolean).map(Number);
  };
  return { primary, settings, baseUrl: settings.BASE_URL, readPids };
}

const says = async (process: TestProcess, line: string, times = 1) =>
  await waitUntil(`"${line}"`, () => process.output().split(`"${line}"`).length > times, 30_000);
const isGone = (pid: number) => markProcess(pid) === undefined;

/** Twelve clients that keep their connections, and some that take a new one for each request. */
function startBothLoads(baseUrl: string, kept: string[], fresh: string[]) {
  return [
    startLoadOnAll([baseUrl], kept, { clients: 12 }),
    startLoadOnAll([baseUrl], fresh, { clients: 4, keepAlive: false }),
  ] as const;
}

/** Moves what waits in Redis, as a worker would; then `answered ≤ counted ≤ sent` holds for each short URL. */
async function judgeCounts(settings: Record<string, string>, tallies: Tally[]) {
  expect(await runProcess('workers/job.js', settings, ['flush-clicks'])).toMatchObject({ code: 0 });
  const counted = await readCounted(database.db());
  expect(tallies.flatMap((tally) => findMiscounted(tally, counted))).toEqual([]);
}

/** What a request on a connection of its own is answered. */
async function ask(baseUrl: string, path: string, headers: Record<string, string> = {}) {
  const [response] = await once(get(`${baseUrl}${path}`, { agent: false, headers }), 'response');
  return { status: response.statusCode as number, body: await text(response) };
}

/** The samples of a metric, with their labels. */
async function readMetric(baseUrl: string, name: string) {
  const { body } = await ask(baseUrl, '/metrics', { authorization: `Bearer ${token}` });
  const samples = body.split('\n').flatMap((line) => {
    const [, labels, value] = new RegExp(`^linkmill_${name}\\{(.*)\\} (\\S+)$`).exec(line) ?? [];
    return labels === undefined ? [] : [[labels, Number(value)] as const];
  });
  return Object.fromEntries(samples);
}

describe.concurrent('two web processes behind one port', () => {
  test('SIGHUP under load replaces both: no request fails or is refused, the service stays ready, every click is counted', async () => {
    const { primary, settings, baseUrl, readPids } = await startCluster();
    const codes = await createCodes(database.db(), baseUrl, 6);
    const before = readPids();
    const loads = startBothLoads(baseUrl, codes.slice(0, 3), codes.slice(3));
    await waitUntil('the load runs', () => loads.every((load) => load.answeredInAll() > 300));

    primary.signal('SIGHUP');
    const readiness = new Set<number>();
    await waitUntil('both are replaced', async () => {
      readiness.add((await fetch(`${baseUrl}/health/ready`)).status);
      return primary.output().includes('"the web processes are replaced"');
    });
    const after = readPids();
    const inAll = loads.map((load) => load.answeredInAll());
    await waitUntil('the load goes on', () =>
      loads.every((load, i) => load.answeredInAll() > inAll[i]! + 100),
    );
    const tallies = await Promise.all(loads.map(async (load) => await load.stop()));

    expect(await primary.stop()).toBe(0);
    expect(tallies.map(({ failures, refused }) => ({ failures, refused }))).toEqual([
      { failures: [], refused: 0 },
      { failures: [], refused: 0 },
    ]);
    expect([...readiness]).toEqual([200]);
    expect([after.length, after.filter((pid) => before.includes(pid))]).toEqual([2, []]);
    await judgeCounts(settings, tallies);
  }, 60_000);

  test('when one is killed the other goes on, the port is not refused, another takes its place, and every answered click is counted', async () => {
    const { primary, settings, baseUrl, readPids } = await startCluster();
    const codes = await createCodes(database.db(), baseUrl, 6);
    const loads = startBothLoads(baseUrl, codes.slice(0, 3), codes.slice(3));
    await waitUntil('the load runs', () => loads.every((load) => load.answeredInAll() > 300));

    const [victim = 0] = readPids();
    process.kill(victim, 'SIGKILL');
    await waitUntil('it is gone', () => isGone(victim));
    const atDeath = loads.map((load) => load.answeredInAll());
    await waitUntil('the other goes on', () =>
      loads.every((load, i) => load.answeredInAll() > atDeath[i]! + 100),
    );
    await says(primary, 'web is listening', 3);
    expect(readPids()).toHaveLength(2);
    const tallies = await Promise.all(loads.map(async (load) => await load.stop()));
    expect(await primary.stop()).toBe(0);

    // What was in hand, at most one request of each client.
    expect(tallies.flatMap((tally) => tally.failures).length).toBeLessThanOrEqual(16);
    expect(tallies.map((tally) => tally.refused)).toEqual([0, 0]);
    await judgeCounts(settings, tallies);
  }, 60_000);

  test('when the primary process is killed the others finish what they have, lose no click and end', async () => {
    const { primary, settings, baseUrl, readPids } = await startCluster();
    const codes = await createCodes(database.db(), baseUrl, 3);
    const load = startLoadOnAll([baseUrl], codes, { clients: 12 });
    await waitUntil('the load runs', () => load.answeredInAll() > 300);

    const pids = readPids();
    primary.signal('SIGKILL');
    await waitUntil('all are gone', () => pids.every(isGone));
    const tally = await load.stop();

    expect([pids.length, await primary.ended, tally.failures]).toEqual([2, 'SIGKILL', []]);
    await judgeCounts(settings, [tally]);
  }, 60_000);

  test('the metrics show each process, and say of one that hangs that it does not answer', async () => {
    const { primary, baseUrl, readPids } = await startCluster();
    const [code = ''] = await createCodes(database.db(), baseUrl, 1);
    for (let i = 0; i < 40; i++) await ask(baseUrl, `/${code}`);
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
    expect(await primary.stop()).toBe(0);
  }, 60_000);

  test('a replacement that dies before it listens leaves the others in their places; Ctrl-C, which reaches all of them, ends them with 0', async () => {
    const { primary, baseUrl, readPids } = await startCluster();
    const before = readPids();
    primary.signal('SIGHUP');
    const newcomer = await waitUntil('a new one', () => readPids().find((pid) => !before.includes(pid)));
    process.kill(newcomer, 'SIGKILL');
    await says(primary, 'a new web process did not come to listen: the old ones stay');
    expect(readPids()).toEqual(before);
    expect((await ask(baseUrl, '/health/ready')).status).toBe(200);

    for (const pid of [primary.pid, ...before]) process.kill(pid, 'SIGINT');
    expect(await primary.ended).toBe(0);
  }, 60_000);

  test('where no web process can listen, the primary process gives up after some tries and ends with 1', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const { port } = holder.address() as { port: number };
    const settings = await placeWeb({
      DATABASE_URL: database.url(),
      REDIS_URL: inject('redisUrl'),
      PORT: String(port),
      WEB_CONCURRENCY: '2',
    });
    const { code, stdout } = await runProcess('src/web.js', settings);
    holder.close();
    expect(code).toBe(1);
    expect(stdout).toContain('EADDRINUSE');
  }, 60_000);
});
