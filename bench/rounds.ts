import type { Subject } from './scenarios/subjects.ts';
import type { Measurement, Windows } from './windows.ts';

/** The measurements of each subject by its id, one per round. */
export type Findings = ReadonlyMap<string, readonly Measurement[]>;

/** Measures every subject once per round, in sequence, so that disturbances of the machine affect all of them. Restarts
 *  the web processes several times, each time with an uncounted warm-up round, because speed also depends on how the
 *  code was compiled. */
export async function runRounds(
  windows: Windows,
  options: {
    starts: number;
    rounds: number;
    start: () => Promise<Subject[]>;
    stop: () => Promise<void>;
    afterRound: () => Promise<void>;
    print: (line: string) => void;
  },
): Promise<{ subjects: Subject[]; findings: Findings }> {
  const { starts, rounds, start, stop, afterRound, print } = options;
  const findings = new Map<string, Measurement[]>();
  let subjects: Subject[] = [];
  for (let started = 1; started <= starts; started++) {
    subjects = await start();
    for (let round = 0; round <= rounds; round++) {
      print(`start ${started} of ${starts}, ${round === 0 ? 'warming up' : `round ${round} of ${rounds}`}`);
      for (const subject of subjects) {
        const measurement = await windows.measure(subject);
        print(`  ${describe(subject, measurement)}`);
        if (round > 0) findings.set(subject.id, [...(findings.get(subject.id) ?? []), measurement]);
      }
      if (round > 0) await afterRound();
    }
    await stop();
  }
  return { subjects, findings };
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
