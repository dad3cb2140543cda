import type { Redis } from 'ioredis';
import type { LoadGenerator, LoadResult } from './load/load.ts';
import { readCpuMicros, readFirstProcessorMicros } from './processors.ts';
import type { Subject } from './subjects.ts';

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
  /** Values that Redis had, per answer: about 0 by heart, 1 from Redis. */
  redisHits: number;
}

/** Answers to what was asked for with codes of one beginning, and requests that may have been sent. */
export interface Tally {
  answered: number;
  sent: number;
}

/** What all rounds found. */
export interface Findings {
  /** By the id of a subject, a measurement for each round. */
  measured: Map<string, Measurement[]>;
  /** By the beginning of the codes, the warm-up included. */
  tallies: Map<string, Tally>;
  /** Answers that make a figure worthless. */
  problems: string[];
}

/** Share of its processor that a web process may miss before its window counts as disturbed. */
const disturbedAbove = 0.1;

/** Measures every subject once in each round, one after the other, so that what disturbs the machine disturbs all of them; the
 *  first round warms up and counts for nothing. After each round `afterRound` is called. */
export async function runRounds(
  deps: { generator: LoadGenerator; redis: Redis; say: (line: string) => void },
  subjects: Subject[],
  options: {
    rounds: number;
    seconds: number;
    /** Times that a disturbed window is measured at most; the least disturbed one counts. */
    tries: number;
    afterRound: (round: number) => Promise<void>;
  },
): Promise<Findings> {
  const { generator, redis, say } = deps;
  const findings: Findings = {
    measured: new Map(subjects.map(({ id }) => [id, []])),
    tallies: new Map(),
    problems: [],
  };

  let windows = 0;

  async function measure(subject: Subject): Promise<Measurement> {
    const { server, connections } = subject;
    windows += 1;
    const requests = await subject.requests(windows);
    const before = await readMeters(server.pid);
    const load = await generator.run({
      baseUrl: server.baseUrl,
      requests,
      connections,
      seconds: options.seconds,
    });
    const after = await readMeters(server.pid);
    judge(subject, load, findings);
    const cpuMicros = after.cpuMicros - before.cpuMicros;
    const micros = after.atMicros - before.atMicros;
    const others = after.processorMicros - before.processorMicros - cpuMicros;
    return {
      perSecond: load.answered / load.seconds,
      cpuMicros: cpuMicros / load.answered,
      busy: cpuMicros / 1e6 / load.seconds,
      disturbed: Math.max(0, others / micros),
      p50Ms: load.p50Ms,
      p99Ms: load.p99Ms,
      redisHits: (after.redisHits - before.redisHits) / load.answered,
    };
  }

  /** Chooses by the disturbance, whatever came of it. */
  async function measureInPeace(subject: Subject): Promise<Measurement> {
    let best = await measure(subject);
    for (let tries = 1; tries < options.tries && best.disturbed > disturbedAbove; tries++) {
      const next = await measure(subject);
      if (next.disturbed < best.disturbed) best = next;
    }
    return best;
  }

  async function readMeters(pid: number) {
    return {
      redisHits: Number(/keyspace_hits:(\d+)/.exec(await redis.info('stats'))?.[1]),
      cpuMicros: readCpuMicros(pid),
      processorMicros: readFirstProcessorMicros(),
      atMicros: performance.now() * 1_000,
    };
  }

  for (let round = 0; round <= options.rounds; round++) {
    say(round === 0 ? 'warming up' : `round ${round} of ${options.rounds}`);
    for (const subject of subjects) {
      const measurement = await measureInPeace(subject);
      say(`  ${describe(subject, measurement)}`);
      if (round > 0) findings.measured.get(subject.id)!.push(measurement);
    }
    await options.afterRound(round);
  }
  return findings;
}

function judge(subject: Subject, load: LoadResult, { tallies, problems }: Findings): void {
  const { name, begin, isRefused = false, connections } = subject;
  if (load.failed > 0) problems.push(`${name}: ${load.failed} requests had no answer`);
  if (load.answered === 0) problems.push(`${name}: a window without an answer`);
  const wrong = isRefused ? load.answered - load.refused : load.refused;
  if (wrong > 0) problems.push(`${name}: ${wrong} of ${load.answered} answers had the wrong status`);
  if (begin === undefined) return;
  const tally = tallies.get(begin) ?? { answered: 0, sent: 0 };
  tally.answered += load.answered - load.refused;
  // Each connection may have had a request on its way when the time was over.
  tally.sent += load.answered + load.failed + connections;
  tallies.set(begin, tally);
}

function describe({ name }: Subject, measurement: Measurement): string {
  const { perSecond, cpuMicros, busy, disturbed, p50Ms, p99Ms, redisHits } = measurement;
  return (
    `${name.padEnd(36)} ${Math.round(perSecond).toString().padStart(6)}/s  ${cpuMicros.toFixed(1).padStart(6)} µs each  ` +
    `${percent(busy)} busy (others ${percent(disturbed)})  p50 ${p50Ms.toFixed(2)}  p99 ${p99Ms.toFixed(2)} ms  ` +
    `${redisHits.toFixed(2)} from Redis`
  );
}

const percent = (share: number) => `${(share * 100).toFixed(0).padStart(3)} %`;
