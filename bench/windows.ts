import type { Redis } from 'ioredis';
import type { ClickStream } from '../src/clicks/stream/stream.ts';
import type { TestProcess } from '../test/support/processes/launch.ts';
import { waitUntil } from '../test/support/wait-until.ts';
import type { LoadGenerator, LoadRequest, LoadResult } from './load/load.ts';
import { readCpuMicros, readFirstProcessorMicros } from './processors.ts';
import type { Subject } from './scenarios/subjects.ts';

/** Share of its processor that a web process may miss before its window counts as disturbed. */
const disturbedAbove = 0.1;

/** A process that was idle while others were measured is under load for so long before its window. */
const leadInSeconds = 1;

/** How long workers may take for the clicks of a window. */
const drainMs = 120_000;

/** One window of load on one subject. */
export interface Measurement {
  perSecond: number;
  /** Processor time of the web process per answer, all its threads; NaN where the system does not tell. */
  cpuMicros: number;
  /** Share of one processor that the web process used: well below 1 it was not what limited the rate. */
  busy: number;
  /** Share of that processor that other programs took, where the web process is alone on it as far as we can arrange. */
  disturbed: number;
  p50Ms: number;
  p99Ms: number;
  /** Values that Redis had, per answer: about 0 from memory, 1 from Redis. */
  redisHits: number;
}

/** Answers to what was asked for with codes of one beginning, and requests that may have been sent. */
export interface Tally {
  answered: number;
  sent: number;
}

export type Windows = ReturnType<typeof createWindows>;

/** Puts subjects under load, one at a time. */
export function createWindows(deps: {
  generator: LoadGenerator;
  redis: Redis;
  clickStream: Pick<ClickStream, 'readAll'>;
  worker: Pick<TestProcess, 'signal'>;
  seconds: number;
  /** Times that a disturbed window is measured at most. */
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

  function record({ name, begin, isRefused = false, connections }: Subject, load: LoadResult): void {
    const { answered, refused, failed } = load;
    if (failed > 0) problems.push(`${name}: ${failed} requests had no answer`);
    if (answered === 0) problems.push(`${name}: a window without an answer`);
    const wrong = isRefused ? answered - refused : refused;
    if (wrong > 0) problems.push(`${name}: ${wrong} of ${answered} answers had the wrong status`);
    if (begin === undefined) return;
    const tally = tallies.get(begin) ?? { answered: 0, sent: 0 };
    tally.answered += answered - refused;
    // Each connection may have had a request on its way when the time was over.
    tally.sent += answered + failed + connections;
    tallies.set(begin, tally);
  }

  return {
    /** What became of all requests so far, by the beginning of their codes. */
    tallies: tallies as ReadonlyMap<string, Readonly<Tally>>,
    /** Answers so far that make a figure worthless. */
    problems: problems as readonly string[],

    /** The least disturbed of a few windows, whatever came of it, or the first that was not disturbed. */
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
