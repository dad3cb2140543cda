import { parseArgs } from 'node:util';
import { isExact, readAudit } from '../../src/clicks/ledger/audit.ts';
import { createLog } from '../../src/log.ts';
import { ClosingStack } from '../../src/resilience/shutdown.ts';
import { killLeftProcesses } from '../../test/support/processes/launch.ts';
import { createRandom, createZipf } from '../../test/support/random.ts';
import { prepareCodes } from '../load/codes.ts';
import { findLoadGenerator } from '../load/find-generator.ts';
import type { LoadRequest } from '../load/load.ts';
import { createVisitors, detailSettings } from '../load/visitors.ts';
import { medianOf } from '../median.ts';
import { openStack, type Server } from '../stack.ts';
import { createWholeMachineMeter, type Part, type WholeMachine } from './whole-machine.ts';

/** `npm run bench:sustained [-- --rounds n --seconds n]`: how many redirects the whole machine answers and counts per second, with all
 *  details and until the last click is counted and rolled up, and how much processor time of all processes (web, worker, Redis,
 *  PostgreSQL, load generator) each takes: 10,000 short URLs by Zipf's law. Beside it 200 short URLs, which is easier: a bare server, which
 *  counts nothing, and Express with one UPDATE per click. All processes share all processors. */
const closeMs = 60_000;
const { rounds, seconds } = readOptions();

const log = createLog('bench', 'warn');
const closing = new ClosingStack(log);
try {
  const generator = await findLoadGenerator(console.log);
  const stack = await openStack(closing, log);
  const codes = await prepareCodes(stack.db, stack.redis, seconds);
  const visitor = createVisitors('bench');
  const visit = (code: () => string) =>
    Array.from({ length: 100_000 }, (): LoadRequest => ({ path: `/${code()}`, headers: visitor() }));
  const random = createRandom('sustained');
  const hot = visit(() => random.pick(codes.hot));
  const byZipf = visit(createZipf(codes.flush, random));
  const subjects: { name: string; server: Server; requests: LoadRequest[]; needs: Part[] }[] = [
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
  const measure = await createWholeMachineMeter(stack, generator, seconds);
  const results = new Map(subjects.map(({ name }) => [name, [] as WholeMachine[]]));
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
