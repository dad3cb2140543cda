import { Agent, get } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { isExact, readAudit } from '../../src/clicks/ledger/audit.ts';
import { createLog } from '../../src/log.ts';
import { ClosingStack } from '../../src/resilience/shutdown.ts';
import { createClient } from '../../test/support/http/client.ts';
import { killLeftProcesses } from '../../test/support/processes/launch.ts';
import { createUrl } from '../../test/support/urls/urls.ts';
import { waitUntil } from '../../test/support/wait-until.ts';
import { medianOf } from '../median.ts';
import { openStack } from '../stack.ts';

/** `npm run bench:counting`: measures what counting costs a redirect. A web process with counting and one without it
 *  take turns on the same stores and short URLs. Compares the p50 and p99 of 32 clients, at a moderate and at the
 *  maximum rate. Prints each round and the medians of the ratios. */
const rounds = 7;
const roundMs = 3_000;
const closeMs = 60_000;
const loads = [
  { name: 'in peace', pauseMs: 20 },
  { name: 'as fast as they can', pauseMs: 0 },
];

const show = ({ p50, p99 }: { p50: number; p99: number }) => `${p50.toFixed(2)} ${p99.toFixed(2)}`;

const log = createLog('bench', 'warn');
const closing = new ClosingStack(log);
try {
  const stack = await openStack(closing, log, { webProcessors: undefined, nodeOptions: [] });
  const { baseUrl: counting } = await stack.startWeb('src/web.js');
  const { baseUrl: uncounted } = await stack.startWeb('bench/baselines/uncounted.js');
  const client = createClient(counting, stack.apiKey);
  const codes = await Promise.all(Array.from({ length: 200 }, () => createUrl(client)));
  for (const { name, pauseMs } of loads) {
    console.log(`${name}: requests, p50 and p99 in ms with counting, without, and their ratios`);
    const ratios: { p50: number; p99: number }[] = [];
    for (let round = 0; round <= rounds; round++) {
      const on = await measure(counting, codes, pauseMs);
      const off = await measure(uncounted, codes, pauseMs);
      // The first round warms up both processes.
      if (round === 0) continue;
      ratios.push({ p50: on.p50 / off.p50, p99: on.p99 / off.p99 });
      console.log(
        `  ${Math.round(on.perSecond)}/s   ${show(on)}   ${show(off)}   ${ratios.at(-1)!.p50.toFixed(2)} ${ratios.at(-1)!.p99.toFixed(2)}`,
      );
    }
    const [p50, p99] = [
      medianOf(ratios.map((ratio) => ratio.p50)),
      medianOf(ratios.map((ratio) => ratio.p99)),
    ];
    console.log(`  median of the ratios: p50 ${p50.toFixed(2)}, p99 ${p99.toFixed(2)}`);
  }
  const audit = await waitUntil(
    'every click is counted',
    async () => {
      const read = await readAudit(stack.db);
      return isExact(read) && read;
    },
    30_000,
  );
  console.log(`clicks: ${audit.accepted} accepted, ${audit.counted} counted`);
} finally {
  await closing.closeAll(closeMs);
  killLeftProcesses();
}

/** The latencies in milliseconds of 32 clients with persistent connections and a pause after each answer. */
async function measure(url: string, codes: string[], pauseMs: number) {
  const latencies: number[] = [];
  const end = performance.now() + roundMs;
  const runClient = async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (performance.now() < end) {
      const code = codes[Math.floor(Math.random() * codes.length)];
      latencies.push(await time(`${url}/${code}`, agent));
      if (pauseMs > 0) await delay(pauseMs);
    }
    agent.destroy();
  };
  await Promise.all(Array.from({ length: 32 }, runClient));
  latencies.sort((a, b) => a - b);
  const percentile = (share: number) => latencies[Math.floor(latencies.length * share)]!;
  return { p50: percentile(0.5), p99: percentile(0.99), perSecond: latencies.length / (roundMs / 1_000) };
}

async function time(url: string, agent: Agent): Promise<number> {
  const start = performance.now();
  return await new Promise((resolve, reject) => {
    get(url, { agent }, (response) => {
      response.resume();
      response.on('end', () => {
        if (response.statusCode === 301) resolve(performance.now() - start);
        else reject(new Error(`a redirect was answered with ${response.statusCode}`));
      });
    }).on('error', reject);
  });
}
