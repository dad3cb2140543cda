import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { createLog, type Log } from '../../src/log.ts';
import { ClosingStack } from '../../src/resilience/shutdown.ts';
import { readVersions } from '../../test/chaos/matrix/versions.ts';
import { storeClicks } from '../../test/support/clicks/stored-clicks.ts';
import { formatMarkdownTable } from '../../test/support/http/markdown-table.ts';
import { killLeftProcesses } from '../../test/support/processes/launch.ts';
import { describeMachine } from '../../test/support/processes/machine.ts';
import { createRandom } from '../../test/support/random.ts';
import { insertUrls } from '../../test/support/urls/urls.ts';
import { findLoadGenerator } from '../load/find-generator.ts';
import { hotBegin, hotUrls } from '../load/hot-urls.ts';
import type { LoadGenerator, LoadRequest } from '../load/load.ts';
import { createVisitors, detailSettings } from '../load/visitors.ts';
import { medianOf, type Spread, spreadOf } from '../median.ts';
import { createWholeMachineMeter, type WholeMachine } from '../scenarios/whole-machine.ts';
import { makeBuild, openStack } from '../stack.ts';
import { type Axis, axesOf, type Level, levelOf } from './levels.ts';
import { formatLineChart } from './line-chart.ts';

/** `npm run bench:growth [-- --only urls,events --rounds n --seconds n --large]`: how the processor time of all processes for a counted
 *  redirect with all details grows with short URLs, click events, web processes, workers and shards, in multiples of a bare server's
 *  in the same round. Writes GROWTH.md and its charts after a run of all axes. */
const closeMs = 60_000;
const days = 90;
const requestsOfRound = 100_000;
const folder = 'bench/growth';

interface Result {
  /** Of all processes, in multiples of a bare server. */
  ratio: Spread;
  perSecond: number;
  micros: number;
  parts: Record<string, number>;
}

const { rounds, seconds, axes, isWhole } = readOptions();
const log = createLog('bench', 'warn');
const closing = new ClosingStack(log);
try {
  const generator = await findLoadGenerator(console.log);
  const build = await makeBuild(closing);
  const sections: string[] = [];
  const machines: string[] = [];
  for (const axis of axes) {
    const results: Result[] = [];
    for (const value of axis.values) {
      const level = levelOf(axis, value);
      const own = new ClosingStack(log);
      try {
        const measured = await measureLevel(own, log, { level, build, generator });
        machines.push(measured.machine);
        results.push(measured.result);
      } finally {
        await own.closeAll(closeMs);
      }
      const { ratio, perSecond, micros } = results.at(-1)!;
      console.log(
        `${axis.name} ${value.toLocaleString('en')}: ${ratio.median.toFixed(2)} times a bare server (${ratio.least.toFixed(2)} to ` +
          `${ratio.greatest.toFixed(2)}), ${micros.toFixed(1)} µs each, ${Math.round(perSecond)} a second`,
      );
    }
    if (isWhole) await writeFile(`${folder}/${axis.property}.svg`, chartOf(axis, results));
    sections.push(sectionOf(axis, results));
  }
  const report = `# How the cost of a redirect grows

Made by \`npm run bench:growth\`. ${new Date().toISOString().slice(0, 10)}; ${machines.at(-1)}; ${rounds} rounds of ${seconds} s.

The processor time of all processes (web, worker, Redis, PostgreSQL and the load generator) for one redirect that is answered, counted with all
details and rolled up, in multiples of that of a bare \`node:http\` server in the same round. Unless an axis says otherwise: 10,000 short URLs, no
older click events, one web process, one worker, one shard; both axes of workers and shards have two web processes.

${sections.join('\n')}`;
  console.log(`\n${report}`);
  if (isWhole) await writeFile(`${folder}/GROWTH.md`, report);
} finally {
  await closing.closeAll(closeMs);
  killLeftProcesses();
}

async function measureLevel(
  own: ClosingStack,
  log: Log,
  options: { level: Level; build: string; generator: LoadGenerator },
): Promise<{ result: Result; machine: string }> {
  const { level, build, generator } = options;
  const { urls, events, webProcesses, workers, shards } = level;
  const settings = { CLICK_SHARDS: String(shards) };
  const stack = await openStack(own, log, { settings, workers, build });
  own.defer('web processes', stack, ({ stopWebs }) => stopWebs());
  await insertUrls(stack.db, { begin: 'growth', count: urls, areClicked: false });
  await storeClicks(stack.db, { urls, days, clicks: events, rolledUp: 0.1 });
  await insertUrls(stack.db, { begin: hotBegin, count: hotUrls.size, areClicked: false });
  const bare = await stack.startWeb('bench/baselines/bare.js');
  const linkmill = await stack.startWeb('src/web.js', {
    ...detailSettings,
    WEB_CONCURRENCY: String(webProcesses),
  });
  const random = createRandom('growth');
  const visitor = createVisitors('growth');
  const visit = (code: () => string) =>
    Array.from({ length: requestsOfRound }, (): LoadRequest => ({ path: `/${code()}`, headers: visitor() }));
  const hot = visit(() => random.pick([...hotUrls.keys()]));
  // About by Zipf's law, for any number.
  const some = visit(() => `growth${Math.floor(urls ** random.next())}`.replace(`growth${urls}`, 'growth0'));
  const measure = await createWholeMachineMeter(stack, generator, seconds);
  const measured: { bare: WholeMachine; linkmill: WholeMachine }[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    const one = {
      bare: await measure(bare, hot, []),
      linkmill: await measure(linkmill, some, ['worker', 'Redis', 'PostgreSQL']),
    };
    // The first round warms up all processes.
    if (round > 0) measured.push(one);
  }
  const medianOfAll = (read: (machine: WholeMachine) => number) =>
    medianOf(measured.map((one) => read(one.linkmill)));
  const names = Object.keys(measured[0]!.linkmill.parts);
  return {
    result: {
      ratio: spreadOf(measured.map((one) => one.linkmill.micros / one.bare.micros)),
      perSecond: medianOfAll(({ perSecond }) => perSecond),
      micros: medianOfAll(({ micros }) => micros),
      parts: Object.fromEntries(names.map((name) => [name, medianOfAll(({ parts }) => parts[name]!)])),
    },
    machine: await describeMachine(await readVersions(stack)),
  };
}

function chartOf({ name, values }: Axis, results: Result[]): string {
  return formatLineChart({
    title: name,
    yLabel: 'processor time of a counted redirect, of a bare server',
    points: results.map(({ ratio }, i) => ({ label: values[i]!.toLocaleString('en'), y: ratio })),
  });
}

function sectionOf({ name, property, values }: Axis, results: Result[]): string {
  const names = Object.keys(results[0]!.parts);
  const rows = results.map(({ ratio, perSecond, micros, parts }, i) => [
    values[i]!.toLocaleString('en'),
    `**${ratio.median.toFixed(2)}**`,
    `${ratio.least.toFixed(2)} to ${ratio.greatest.toFixed(2)}`,
    micros.toFixed(1),
    ...names.map((part) => parts[part]!.toFixed(1)),
    Math.round(perSecond).toLocaleString('en'),
  ]);
  const columns = [name, 'of bare', 'of the rounds', 'µs each', ...names, 'per second'];
  return `## ${name}

![${name}: processor time of a counted redirect, of a bare server](${property}.svg)

${formatMarkdownTable(columns, rows)}
`;
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '8' },
      large: { type: 'boolean', default: false },
    },
  });
  const { only } = values;
  const wanted = only?.split(',');
  return {
    rounds: Number(values.rounds),
    seconds: Number(values.seconds),
    axes: axesOf(values.large).filter(({ property }) => wanted?.includes(property) ?? true),
    isWhole: only === undefined,
  };
}
