import type { Redis } from 'ioredis';
import type { ClickStream } from '../src/clicks/stream/stream.ts';
import type { TestProcess } from '../test/support/processes/launch.ts';
import { waitUntil } from '../test/support/wait-until.ts';
import type { LoadGenerator, LoadRequest, LoadResult } from './load/load.ts';
import { readCpuMicros, readFirstProcessorMicros } from './processors.ts';
import type { Subject } from './scenarios/subjects.ts';

/** Share of its processor that a web process may lose to other programs before its window counts as disturbed. */
const disturbedAbove = 0.1;

/** Load before each window, because the process was idle while others were measured. */
const leadInSeconds = 1;

/** Time limit for workers to count the clicks of a window. */
const drainMs = 120_000;

/** One window of load on one subject. */
export interface Measurement {
  perSecond: number;
  /** Processor time of all threads of the web process per answer; NaN where the system does not report it. */
  cpuMicros: number;
  /** Share of one processor that the web process used: below 1 it did not limit the rate. */
  busy: number;
  /** Share of that processor that other programs used, where the web process has it to itself as far as possible. */
  disturbed: number;
  p50Ms: number;
  p99Ms: number;
  /** Values found in Redis per answer: about 0 from memory, 1 from Redis. */
  redisHits: number;
}

/** Answers for the codes with one prefix, and requests that may have been sent. */
export interface Tally {
  answered: number;
  sent: number;
}

export type Windows = ReturnType<typeof createWindows>;

/** Loads one subject at a time. */
export function createWindows(deps: {
  generator: LoadGenerator;
  redis: Redis;
  clickStream: Pick<ClickStream, 'readAll'>;
  worker: Pick<TestProcess, 'signal'>;
  seconds: number;
  /** Maximum number of measurements of a disturbed window. */
  tries: number;
}) {
  const { generator, redis, clickStream, worker, seconds, tries } = deps;
  const tallies = new Map<string, Tally>();
  const problems: string[] = [];
  let windows = 0;

  async function readMeters(pid: number) {
    return {
      redisHits: Number(/keyspace_hits:(\d+)/.exec(await redis.info('stats'))?.[1]),
      cpuMicros: readCpuMicros(pid),
      processorMicros: readFirstProcessorMicros(),
      atMicros: performance.now() * 1_000,
    };
  }

  const hasNoClicks = async () => (await clickStream.readAll()).waiting === 0;

  async function nextRequests(subject: Subject): Promise<LoadRequest[]> {
    windows += 1;
    return await subject.requests(windows);
  }

  async function run(subject: Subject, requests: LoadRequest[], forSeconds: number): Promise<LoadResult> {
    const { server, connections } = subject;
    const load = await generator.run({
      baseUrl: server.baseUrl,
      requests,
      connections,
      seconds: forSeconds,
    });
    record(subject, load);
    return load;
  }

  async function measureOnce(subject: Subject): Promise<Measurement> {
    const { server, withoutWorker = false } = subject;
    await run(subject, await nextRequests(subject), leadInSeconds);
    const requests = await nextRequests(subject);
    await waitUntil('all clicks are counted', hasNoClicks, drainMs);
    const before = await readMeters(server.pid);
    if (withoutWorker) worker.signal('SIGSTOP');
    const load = await run(subject, requests, seconds).finally(() => worker.signal('SIGCONT'));
    const after = await readMeters(server.pid);
    const cpuMicros = after.cpuMicros - before.cpuMicros;
    const others = after.processorMicros - before.processorMicros - cpuMicros;
    return {
      perSecond: load.answered / load.seconds,
      cpuMicros: cpuMicros / load.answered,
      busy: cpuMicros / 1e6 / load.seconds,
      disturbed: Math.max(0, others / (after.atMicros - before.atMicros)),
      p50Ms: load.p50Ms,
      p99Ms: load.p99Ms,
      redisHits: (after.redisHits - before.redisHits) / load.answered,
    };
  }

  function record({ name, begin, isNotFound = false, connections }: Subject, load: LoadResult): void {
    const { answered, refused, failed } = load;
    if (failed > 0) problems.push(`${name}: ${failed} requests had no answer`);
    if (answered === 0) problems.push(`${name}: a window without an answer`);
    const wrong = isNotFound ? answered - refused : refused;
    if (wrong > 0) problems.push(`${name}: ${wrong} of ${answered} answers had the wrong status`);
    if (begin === undefined) return;
    const tally = tallies.get(begin) ?? { answered: 0, sent: 0 };
    tally.answered += answered - refused;
    // Each connection may have had a request in transit at the end.
    tally.sent += answered + failed + connections;
    tallies.set(begin, tally);
  }

  return {
    /** The results of all requests so far, by the prefix of their codes. */
    tallies: tallies as ReadonlyMap<string, Readonly<Tally>>,
    /** Wrong answers so far, which invalidate a measurement. */
    problems: problems as readonly string[],

    /** The first undisturbed window, or the least disturbed of several. */
    async measure(subject: Subject): Promise<Measurement> {
      let best = await measureOnce(subject);
      for (let tried = 1; tried < tries && best.disturbed > disturbedAbove; tried++) {
        const next = await measureOnce(subject);
        if (next.disturbed < best.disturbed) best = next;
      }
      return best;
    },
  };
}
