import type { UrlScope } from '../rollups/scope.ts';

/** `bot_kind` has separate roll-ups, with clicks of bots only. */
export const dimensions = ['country', 'referrer', 'browser', 'os', 'device', 'bot_kind'] as const;
export type Dimension = (typeof dimensions)[number];

export const groupings = ['time', ...dimensions, 'bot', 'hour_of_week'] as const;
export const intervals = ['minute', 'hour', 'day', 'week', 'month'] as const;
export const botChoices = ['include', 'exclude', 'only'] as const;

export type Grouping = (typeof groupings)[number];
export type Interval = (typeof intervals)[number];
export type BotChoice = (typeof botChoices)[number];

/** A point in time, or a day such as "2026-11-21" in the time zone of the query. */
export type Moment = Date | string;

/** A query of the analytics. */
export interface AnalyticsQuery {
  scope: UrlScope;
  /** Defaults to 30 days before `to`. */
  from?: Moment | undefined;
  /** Excluded, except for a day, which is included; defaults to the end of today. */
  to?: Moment | undefined;
  /** IANA time zone name. */
  timezone: string;
  groupBy: Grouping;
  /** Width of time buckets. */
  interval: Interval;
  /** Required values; '' means unknown. */
  filters: Partial<Record<Dimension, string>>;
  bots: BotChoice;
  /** Whether to count the clicks of the previous range of the same length too. */
  compare: boolean;
  /** Whether to count distinct visitors, which reads each click event of the range. */
  visitors: boolean;
  /** Maximum number of values of a dimension, the most clicked first. */
  limit: number;
}

/** `from` is included, `to` is excluded. */
export interface Range {
  from: Date;
  to: Date;
}

export interface AnalyticsGroup {
  /** Start of a bucket, a value, "person" or "bot", or day of the week (1 is Monday) and hour: "1-13". '' means
   *  unknown. */
  name: string;
  clicks: number;
  /** Undefined when unknown. */
  visitors: number | undefined;
}

export interface AnalyticsResult {
  /** The counted range: as requested, or wider where the data is coarser. */
  range: Range;
  /** Tables that the answer is read from. */
  source: 'roll-ups' | 'rows' | 'both';
  /** Total of the groups and `other`. */
  clicks: number;
  visitors: number | undefined;
  groups: AnalyticsGroup[];
  /** Clicks of values that are not listed. */
  other: number;
  /** Clicks in the hours of the range that have no click event; an answer from rows does not include them. */
  withoutRow: number;
  previous: (Range & { clicks: number }) | undefined;
}

/** The answer needs click events from before `since`, which are deleted. */
export class RetentionExceeded extends Error {
  override readonly name = 'RetentionExceeded';
  readonly since: Date;

  constructor(since: Date) {
    super('click events of the range are past their retention');
    this.since = since;
  }
}

/** The range is empty. */
export class EmptyRange extends Error {
  override readonly name = 'EmptyRange';
}

/** PostgreSQL does not recognize the time zone, although the runtime may. */
export class UnknownTimezone extends Error {
  override readonly name = 'UnknownTimezone';
}

/** The answer would have too many time buckets. */
export class TooManyBuckets extends Error {
  override readonly name = 'TooManyBuckets';
  readonly count: number;
  readonly max: number;

  constructor(count: number, max: number) {
    super('the interval is too short for the range');
    this.count = count;
    this.max = max;
  }
}
