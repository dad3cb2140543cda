import type { UrlScope } from '../rollups/scope.ts';

/** `bot_kind` has roll-ups of its own: they have the clicks of bots alone. */
export const dimensions = ['country', 'referrer', 'browser', 'os', 'device', 'bot_kind'] as const;
export type Dimension = (typeof dimensions)[number];

export const groupings = ['time', ...dimensions, 'bot', 'hour_of_week'] as const;
export const intervals = ['minute', 'hour', 'day', 'week', 'month'] as const;
export const botChoices = ['include', 'exclude', 'only'] as const;

export type Grouping = (typeof groupings)[number];
export type Interval = (typeof intervals)[number];
export type BotChoice = (typeof botChoices)[number];

/** A moment, or a day such as "2026-11-21" in the time zone of the question. */
export type Moment = Date | string;

/** What the analytics are asked. */
export interface AnalyticsQuery {
  scope: UrlScope;
  /** 30 days before `to`, unless given. */
  from?: Moment | undefined;
  /** Not included, but for a day, which is; the end of today unless given. */
  to?: Moment | undefined;
  /** A name of the IANA. */
  timezone: string;
  groupBy: Grouping;
  /** Width of the groups by time. */
  interval: Interval;
  /** Values that clicks must have; '' is unknown. */
  filters: Partial<Record<Dimension, string>>;
  bots: BotChoice;
  /** Whether to count the clicks of the range before, which is as long, too. */
  compare: boolean;
  /** Whether to count different visitors, which reads every row of the range. */
  visitors: boolean;
  /** Values of a dimension that are told apart at most, the most clicked ones. */
  limit: number;
}

/** From when on, and until when; the end is not included. */
export interface Range {
  from: Date;
  to: Date;
}

export interface AnalyticsGroup {
  /** When it begins, a value, "person" or "bot", or day of the week (1 is Monday) and hour: "1-13". '' is unknown. */
  name: string;
  clicks: number;
  /** Undefined where that is not known. */
  visitors: number | undefined;
}

export interface AnalyticsAnswer {
  /** What is counted: as asked, or wider where what is kept is not that fine. */
  range: Range;
  /** Where the figures are from. */
  source: 'roll-ups' | 'rows' | 'both';
  /** All of them: the groups and `other`. */
  clicks: number;
  visitors: number | undefined;
  groups: AnalyticsGroup[];
  /** Clicks of values that are not told apart. */
  other: number;
  /** Clicks of the hours in the range that have no row, and are in no figure of an answer from rows. */
  withoutRow: number;
  previous: (Range & { clicks: number }) | undefined;
}

/** The answer needs single clicks, which are kept from `since` on. */
export class DetailNotKept extends Error {
  override readonly name = 'DetailNotKept';
  readonly since: Date;

  constructor(since: Date) {
    super('single clicks of that time are not kept any more');
    this.since = since;
  }
}

/** The range ends before it has begun. */
export class EmptyRange extends Error {
  override readonly name = 'EmptyRange';
}

/** PostgreSQL does not know the time zone, though others may. */
export class UnknownTimezone extends Error {
  override readonly name = 'UnknownTimezone';
}

/** More groups by time than one answer may have. */
export class TooManyBuckets extends Error {
  override readonly name = 'TooManyBuckets';
  readonly count: number;

  constructor(count: number) {
    super('the interval is too short for the range');
    this.count = count;
  }
}
