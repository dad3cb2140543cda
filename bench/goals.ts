import { type Spread, spreadOf } from './median.ts';
import type { Findings } from './rounds.ts';
import type { Measurement } from './windows.ts';

type Ratio = (subject: Measurement, baseline: Measurement) => number;

/** Processor time of the baseline per request, of that of the subject: above 1 means cheaper than the baseline. */
export const cpuShare: Ratio = (subject, baseline) => baseline.cpuMicros / subject.cpuMicros;
/** Requests per second, of those of the baseline. */
export const rateShare: Ratio = (subject, baseline) => subject.perSecond / baseline.perSecond;
const p99Ratio: Ratio = (subject, baseline) => subject.p99Ms / baseline.p99Ms;

interface Goal {
  what: string;
  subject: string;
  /** The baseline, measured in the same round. */
  baseline: string;
  ratio: Ratio;
  atLeast?: number;
  atMost?: number;
}

/** The speed goals, as ratios, which hold on any machine. */
const goals: Goal[] = [
  {
    what: 'processor time of a bare `node:http` with the same headers, of a redirect from memory with all details',
    subject: 'detail-full',
    baseline: 'bare-visited',
    ratio: cpuShare,
    atLeast: 0.9,
  },
  {
    what: 'processor time of a bare `node:http` with the same headers, of a redirect from memory with `CLICK_DETAIL=count`',
    subject: 'detail-count',
    baseline: 'bare-visited',
    ratio: cpuShare,
    atLeast: 0.95,
  },
  {
    what: 'processor time of a bare `node:http`, of a redirect from Redis',
    subject: 'redis',
    baseline: 'bare',
    ratio: cpuShare,
    atLeast: 0.65,
  },
  {
    what: 'processor time of a bare `node:http`, of a redirect from the table',
    subject: 'table',
    baseline: 'bare',
    ratio: cpuShare,
    atLeast: 0.15,
  },
  {
    what: 'processor time of a bare `node:http`, of an unknown code asked for again',
    subject: 'unknown',
    baseline: 'bare',
    ratio: cpuShare,
    atLeast: 0.6,
  },
  {
    what: 'processor time of a bare `node:http`, of unknown codes, each a new one',
    subject: 'scan',
    baseline: 'bare',
    ratio: cpuShare,
    atLeast: 0.15,
  },
  {
    what: 'creates per second of 64 clients, of those with one INSERT per request',
    subject: 'create-64',
    baseline: 'create-64-each',
    ratio: rateShare,
    atLeast: 3,
  },
  {
    what: 'p99 of one viral short URL, of that of 200',
    subject: 'viral',
    baseline: 'memory',
    ratio: p99Ratio,
    atMost: 1.2,
  },
  {
    what: 'processor time of a redirect with metrics off, of one with metrics',
    subject: 'memory',
    baseline: 'no-metrics',
    ratio: cpuShare,
    atLeast: 0.97,
  },
];

export interface GoalResult {
  what: string;
  ratio: Spread;
  goal: string;
  isMet: boolean;
}

/** Evaluates each goal by the median of the rounds' ratios; skips goals with a missing measurement. */
export function evaluateGoals(findings: Findings): GoalResult[] {
  return goals.flatMap(({ what, subject, baseline, ratio: measure, atLeast = 0, atMost = Infinity }) => {
    const ratio = ratioOf(findings.get(subject), findings.get(baseline), measure);
    if (ratio === undefined) return [];
    return {
      what,
      ratio,
      goal: atLeast > 0 ? `≥ ${atLeast}` : `≤ ${atMost}`,
      isMet: ratio.median >= atLeast && ratio.median <= atMost,
    };
  });
}

/** The spread of the ratios of all rounds. */
export function ratioOf(
  subject: readonly Measurement[] | undefined,
  baseline: readonly Measurement[] | undefined,
  ratio: Ratio,
): Spread | undefined {
  if (!subject?.length || !baseline?.length) return undefined;
  return spreadOf(subject.map((measurement, round) => ratio(measurement, baseline[round]!)));
}
