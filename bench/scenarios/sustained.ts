import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { createClickSegments } from '../../src/analytics/rollups/segments.ts';
import { isExact, readAudit } from '../../src/clicks/ledger/audit.ts';
import { createLog } from '../../src/log.ts';
import { ClosingStack } from '../../src/resilience/shutdown.ts';
import { killLeftProcesses } from '../../test/support/processes/launch.ts';
import { createRandom, createZipf } from '../../test/support/random.ts';
import { waitUntil } from '../../test/support/wait-until.ts';
import { prepareCodes } from '../load/codes.ts';
import { findLoadGenerator } from '../load/find-generator.ts';
import type { LoadRequest } from '../load/load.ts';
import { createVisitors, detailSettings } from '../load/visitors.ts';
import { medianOf } from '../median.ts';
import { readTreeCpuMicros } from '../processors.ts';
import { openStack, type Server } from '../stack.ts';

/** `npm run bench:sustained [-- --rounds n --seconds n]`: how many redirects the whole machine answers and counts per second, with all
 *  details and until the last click is counted and rolled up, and how much processor time of all processes (web, worker, Redis,
 *  PostgreSQL, load generator) each takes: 10,000 short URLs by Zipf's law. Beside it 200 short URLs, which is easier: a bare server, which
 *  counts nothing, and Express with one UPDATE per click. All processes share all processors. */
const closeMs = 60_000;
const connections = 64;
const { rounds, seconds } = readOptions();

const log = createLog('bench', 'warn');
const closing = new ClosingStack(log);
try {
  const generator = await findLoadGenerator(console.log);
  const stack = await openStack(closing, log, { webProcessors: undefined, nodeOptions: [] });
  const codes = await prepareCodes(stack.db, stack.redis, seconds);
  const visitor = createVisitors('bench');
  const visit = (code: () => string) =>
    Array.from({ length: 100_000 }, (): LoadRequest => ({ path: `/${code()}`, headers: visitor() }));
  const random = createRandom('sustained');
  const hot = visit(() => random.pick(codes.hot));
  const byZipf = visit(createZipf(codes.flush, random));
  const subjects = [
    {
      name: 'bare node:http',
      server: await stack.startWeb('bench/baselines/bare.js'),
      requests: hot,
      needs: [],
    },
    {
      name: 'Linkmill',
      server: await stack.startWeb('src/web.js', detailSettings),
      requests: byZipf,
      needs: ['worker', 'Redis', 'PostgreSQL'],
    },
    {
      name: 'Express, one UPDATE per click',
      server: await stack.startWeb('bench/baselines/express.js'),
      requests: hot,
      needs: ['PostgreSQL'],
    },
  ];
  const parts = {
    worker: stack.worker.pid,
    Redis: Number(/process_id:(\d+)/.exec(await stack.redis.info('server'))![1]),
    PostgreSQL: await readPostgresPid(),
  };
  const results = new Map(subjects.map(({ name }) => [name, [] as Awaited<ReturnType<typeof measure>>[]]));
  for (let round = 0; round <= rounds; round += 1)
    for (const { name, server, requests, needs } of subjects) {
      const measured = await measure(server, requests, needs);
      // The first round warms up all processes.
      if (round > 0) results.get(name)!.push(measured);
    }
  const microsOf = (name: string) => medianOf(results.get(name)!.map(({ micros }) => micros));
  for (const [name, measured] of results) {
    const perSecond = Math.round(medianOf(measured.map((one) => one.perSecond)));
    const ratio = microsOf(name) / microsOf(subjects[0]!.name);
    const split = Object.keys(measured[0]!.parts).map(
      (part) => `${part} ${medianOf(measured.map((one) => one.parts[part]!)).toFixed(1)}`,
    );
    console.log(
      `${name}: ${perSecond} a second, ${microsOf(name).toFixed(1)} µs each (${split.join(', ')}), ${ratio.toFixed(2)} times a bare server`,
    );
  }
  if (!isExact(await readAudit(stack.db))) throw new Error('the audit found a difference');

  /** From the first request until the last click is rolled up. */
  async function measure({ baseUrl, pid }: Server, requests: LoadRequest[], needs: string[]) {
    // All processes, also those of the stores and the load generator, are descendants of this one.
    const pids: Record<string, number> = { all: process.pid, web: pid, ...parts };
    const readMicros = () => Object.values(pids).map(readTreeCpuMicros);
    const begin = { at: performance.now(), micros: readMicros() };
    const { answered, failed, refused } = await generator.run({ baseUrl, requests, connections, seconds });
    if (failed + refused > 0) throw new Error(`${failed} requests had no answer, ${refused} were refused`);
    await waitUntil('all clicks are counted', async () => isExact(await readAudit(stack.db)), 120_000);
    await createClickSegments(stack.db).rollUp({ always: true });
    const elapsedSeconds = (performance.now() - begin.at) / 1_000;
    const [micros, ...rest] = readMicros().map((after, i) => (after - begin.micros[i]!) / answered);
    const names = Object.keys(pids).slice(1);
    const split = Object.fromEntries(names.map((name, i) => [name, rest[i]!]));
    // What idle parts do in the background is not the cost of a subject that does without them.
    const idle = Object.keys(parts).filter((part) => !needs.includes(part));
    return {
      perSecond: answered / elapsedSeconds,
      micros: idle.reduce((sum, part) => sum - split[part]!, micros!),
      parts: Object.fromEntries(['web', ...needs].map((part) => [part, split[part]!])),
    };
  }

  async function readPostgresPid(): Promise<number> {
    const { rows } = await stack.db.raw<{ rows: { pid: number }[] }>('select pg_backend_pid() as pid');
    return Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${rows[0]!.pid}/status`, 'utf8'))![1]);
  }
} finally {
  await closing.closeAll(closeMs);
  killLeftProcesses();
}

function readOptions() {
  const { values } = parseArgs({
    options: { rounds: { type: 'string', default: '3' }, seconds: { type: 'string', default: '20' } },
  });
  return { rounds: Number(values.rounds), seconds: Number(values.seconds) };
}
