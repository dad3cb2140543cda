import { type Spread, spreadOf } from './median.ts';
import type { Findings } from './rounds.ts';
import type { Measurement } from './windows.ts';

interface Goal {
  what: string;
  subject: string;
  /** The baseline, measured in the same round. */
  baseline: string;
  read: keyof Measurement;
  atLeast?: number;
  atMost?: number;
}

/** The speed goals, as ratios, which hold on any machine. */
const goals: Goal[] = [
  {
    what: 'a redirect from memory, of a bare `node:http`',
    subject: 'memory',
    baseline: 'bare',
    read: 'perSecond',
    atLeast: 0.9,
  },
  {
    what: 'a redirect from Redis, of a bare `node:http`',
    subject: 'redis',
    baseline: 'bare',
    read: 'perSecond',
    atLeast: 0.6,
  },
  {
    what: '64 clients that create, of one INSERT per request',
    subject: 'create-64',
    baseline: 'create-64-each',
    read: 'perSecond',
    atLeast: 3,
  },
  {
    what: 'p99 of one viral short URL, of that of 200',
    subject: 'viral',
    baseline: 'memory',
    read: 'p99Ms',
    atMost: 1.2,
  },
  {
    what: 'a redirect with metrics, of one without',
    subject: 'memory',
    baseline: 'no-metrics',
    read: 'perSecond',
    atLeast: 0.97,
  },
  {
    what: 'processor time of a redirect with who clicked in full detail, of one with their number alone',
    subject: 'detail-full',
    baseline: 'detail-count',
    read: 'cpuMicros',
    atMost: 1.15,
  },
];

export interface GoalResult {
  what: string;
  ratio: Spread;
  /** The ratio of baseline to subject in processor time; above 1 means cheaper than the baseline. */
  cpuRatio: number;
  goal: string;
  isMet: boolean;
}

/** Evaluates each goal by the median of the rounds' ratios; skips goals with a missing measurement. */
export function evaluateGoals(findings: Findings): GoalResult[] {
  return goals.flatMap(({ what, subject, baseline, read, atLeast = 0, atMost = Infinity }) => {
    const ratio = ratioOf(findings.get(subject), findings.get(baseline), read);
    const cpuRatio = ratioOf(findings.get(baseline), findings.get(subject), 'cpuMicros');
    if (ratio === undefined || cpuRatio === undefined) return [];
    return {
      what,
      ratio,
      cpuRatio: cpuRatio.median,
      goal: atLeast > 0 ? `≥ ${atLeast}` : `≤ ${atMost}`,
      isMet: ratio.median >= atLeast && ratio.median <= atMost,
    };
  });
}

/** The spread of the ratios of all rounds. */
export function ratioOf(
  subject: readonly Measurement[] | undefined,
  baseline: readonly Measurement[] | undefined,
  read: keyof Measurement,
): Spread | undefined {
  if (!subject?.length || !baseline?.length) return undefined;
  return spreadOf(subject.map((measurement, round) => measurement[read] / baseline[round]![read]));
}
