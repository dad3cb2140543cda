import fc from 'fast-check';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openClickStore } from '../../../src/analytics/click-store.ts';
import { type Analytics, createAnalytics } from '../../../src/analytics/query/analytics.ts';
import {
  type AnalyticsResult,
  type AnalyticsQuery,
  botChoices,
  type BotChoice,
  RetentionExceeded,
  dimensions,
  EmptyRange,
  groupings,
  intervals,
  TooManyBuckets,
} from '../../../src/analytics/query/query.ts';
import { createAnalyticsSnapshot } from '../../../src/analytics/query/snapshot.ts';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import type { ClickCount } from '../../../src/clicks/click-batch.ts';
import { botKinds } from '../../../src/clicks/enrichment/agents/bot-kinds.ts';
import { readFrom } from '../../../src/storage/reads/read-pool.ts';
import { UrlNotFound } from '../../../src/urls/url.ts';
import { makeDetail, makeDetailedBatch, makeQuery } from '../../support/clicks/analytics.ts';
import { createUrlIds, resetLedger } from '../../support/clicks/clicks.ts';
import { useDatabase } from '../../support/resources.ts';

const database = useDatabase();
const { db } = database;
let analytics: Analytics;
let urlIds: number[];
let shortCode: string;

beforeAll(() => {
  analytics = createAnalytics(createAnalyticsSnapshot(readFrom(db()), 10_000));
});

beforeEach(async () => {
  await resetLedger(db());
  await db()('analytics_state').update({ events_since: '-infinity' });
  urlIds = await createUrlIds(db(), 2);
  shortCode = await codeOf(urlIds[0]!);
});

async function codeOf(urlId: number): Promise<string> {
  const { short_code: generated } = await db()('urls').where({ id: urlId }).first('short_code');
  const code = String(generated).replaceAll('-', '').slice(0, 12);
  await db()('urls').where({ id: urlId }).update({ short_code: code });
  return code;
}

async function apply(clicks: ClickCount[]): Promise<void> {
  await openClickStore(db()).apply([makeDetailedBatch(clicks)]);
}

const click = (at: string, detail: Parameters<typeof makeDetail>[0] | null = {}, count = 1): ClickCount => ({
  urlId: urlIds[0]!,
  count,
  lastAtMs: Date.parse(at),
  detail: detail === null ? undefined : makeDetail(detail),
});

async function runQuery(query: Partial<AnalyticsQuery> = {}): Promise<AnalyticsResult> {
  return await analytics.query(makeQuery(shortCode, query));
}

const clicksOf = ({ groups }: AnalyticsResult) => groups.map(({ name, clicks }) => [name, clicks]);
const without = (answer: AnalyticsResult) => clicksOf(answer).filter(([, clicks]) => clicks !== 0);

describe('against a model of all clicks', () => {
  const firstMs = Date.parse('2026-10-24T00:00:00Z');
  const aDetail = fc.record({
    country: fc.constantFrom('', 'DE', 'NP'),
    referrer: fc.constantFrom('', 'a.example', 'b.example'),
    browser: fc.constantFrom('Firefox', 'Chrome'),
    os: fc.constantFrom('Linux', ''),
    device: fc.constantFrom('desktop', 'mobile'),
    isBot: fc.boolean(),
    botKind: fc.constantFrom(undefined, ...botKinds),
    visitor: fc.constantFrom<string | number>('', 1, 2, 3),
  });
  const aClick = fc.record({
    after: fc.integer({ min: 0, max: 4 * 24 * 60 - 1 }),
    count: fc.integer({ min: 1, max: 3 }),
    detail: fc.option(aDetail, { nil: undefined, freq: 5 }),
  });
  const quarterHours = fc.integer({ min: 0, max: 4 * 96 });
  const aQuestion = fc.record({
    groupBy: fc.constantFrom(...groupings),
    interval: fc.constantFrom(...intervals.filter((interval) => interval !== 'minute')),
    timezone: fc.constantFrom(
      'UTC',
      'Europe/Berlin',
      'Asia/Kathmandu',
      'Australia/Lord_Howe',
      'America/St_Johns',
      'Atlantic/Azores',
    ),
    bots: fc.constantFrom(...botChoices),
    range: fc
      .uniqueArray(quarterHours, { minLength: 2, maxLength: 2 })
      .map(([a, b]) => [Math.min(a!, b!), Math.max(a!, b!)]),
    filters: fc.oneof(
      { weight: 3, arbitrary: fc.constant({}) },
      fc.record({ country: fc.constantFrom('', 'DE') }),
      fc.record({ browser: fc.constant('Firefox'), os: fc.constantFrom('', 'Linux') }),
    ),
  });
  type Question = typeof aQuestion extends fc.Arbitrary<infer T> ? T : never;

  const isCounted = (bots: BotChoice, isBot: boolean) => bots === 'include' || isBot === (bots === 'only');

  /** Local time according to Node's time zone data. */
  function clockOf(at: Date, timezone: string) {
    const format = new Intl.DateTimeFormat('en-GB', {
      timeZone: timezone,
      dateStyle: 'short',
      timeStyle: 'short',
      hourCycle: 'h23',
    });
    const [day, month, year, hour, minute] = format.format(at).split(/\D+/).map(Number) as [
      number,
      number,
      number,
      number,
      number,
    ];
    return {
      day,
      month,
      year,
      hour,
      minute,
      weekday: ((new Date(Date.UTC(year, month - 1, day)).getUTCDay() + 6) % 7) + 1,
    };
  }

  /** Name of the bucket of a click; a repeated hour has two. */
  function bucketOf(at: Date, { timezone, interval }: Pick<Question, 'timezone' | 'interval'>): string {
    const { year, month, day, weekday, hour, minute } = clockOf(at, timezone);
    if (interval === 'month') return `${year}-${month}`;
    if (interval === 'day') return `${year}-${month}-${day}`;
    if (interval === 'week') return new Date(Date.UTC(year, month - 1, day - weekday + 1)).toISOString();
    return new Date(at.getTime() - minute * 60_000).toISOString() + String(hour);
  }

  function keyOf(at: Date, detail: ReturnType<typeof makeDetail> | undefined, query: Question): string {
    const { groupBy } = query;
    if (groupBy === 'time') return bucketOf(at, query);
    if (groupBy === 'bot') return detail?.isBot ? 'bot' : 'person';
    const { weekday, hour } = clockOf(at, query.timezone);
    if (groupBy === 'hour_of_week') return `${weekday}-${String(hour).padStart(2, '0')}`;
    if (groupBy === 'bot_kind') return (detail?.isBot && detail.botKind) || '';
    return detail?.[groupBy] ?? '';
  }

  /** Data of partial days: unknown values without a click event. */
  function isInWholeDay(at: number, from: number, to: number): boolean {
    const dayMs = 86_400_000;
    const day = at - (at % dayMs);
    return day >= from && day + dayMs <= to;
  }

  test('each grouping, time zone, filter and bot choice matches the sum of the clicks', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(aClick, { maxLength: 40 }),
        fc.array(aQuestion, { minLength: 6, maxLength: 6 }),
        async (given, questions) => {
          await resetLedger(db());
          urlIds = await createUrlIds(db(), 2);
          shortCode = await codeOf(urlIds[0]!);
          const clicks: ClickCount[] = given.map(({ after, count, detail }) => ({
            urlId: urlIds[0]!,
            count,
            lastAtMs: firstMs + after * 60_000,
            detail: detail && makeDetail(detail),
          }));
          await apply([...clicks, ...clicks.map((one) => ({ ...one, urlId: urlIds[1]! }))]);
          for (const query of questions) {
            const [from = 0, to = 0] = query.range.map((quarters) => firstMs + quarters * 900_000);
            const answer = await runQuery({ ...query, from: new Date(from), to: new Date(to) });
            const hasFilters = Object.keys(query.filters).length > 0;
            const isByValue = (dimensions as readonly string[]).includes(query.groupBy);
            const expected = new Map<string, number>();
            for (const { lastAtMs, count, detail } of clicks) {
              if (lastAtMs < from || lastAtMs >= to || !isCounted(query.bots, detail?.isBot ?? false))
                continue;
              if (hasFilters && !detail?.visitor) continue;
              if (Object.entries(query.filters).some(([name, value]) => detail![name as 'os'] !== value))
                continue;
              const isUnknown = isByValue && !detail?.visitor && !isInWholeDay(lastAtMs, from, to);
              const key = isUnknown ? '' : keyOf(new Date(lastAtMs), detail, query);
              expected.set(key, (expected.get(key) ?? 0) + count);
            }
            const found = new Map(
              without(answer).map(([name, clicks]) => [
                // The start of a bucket belongs to it.
                query.groupBy === 'time' ? bucketOf(new Date(String(name)), query) : name,
                clicks,
              ]),
            );
            expect(Object.fromEntries(found)).toEqual(Object.fromEntries(expected));
            expect(answer.clicks).toBe([...expected.values()].reduce((sum, clicks) => sum + clicks, 0));
          }
        },
      ),
      { numRuns: 25 },
    );
  });
});

describe('time zones', () => {
  test.each([
    ['Europe/Berlin', '2026-03-29', 23],
    ['Europe/Berlin', '2026-10-25', 25],
    ['America/New_York', '2026-11-01', 25],
    ['Asia/Kathmandu', '2026-10-25', 24],
    ['Australia/Lord_Howe', '2026-10-04', 24],
    ['Atlantic/Azores', '2026-03-29', 23],
    ['Atlantic/Azores', '2026-10-24', 24],
    ['Atlantic/Azores', '2026-10-25', 25],
    ['America/Havana', '2026-03-08', 23],
    ['America/Havana', '2026-11-01', 25],
    ['Asia/Beirut', '2026-03-29', 23],
    ['Asia/Beirut', '2026-10-24', 25],
    ['Asia/Beirut', '2026-10-25', 24],
    ['Africa/Cairo', '2026-04-24', 23],
    ['Africa/Cairo', '2026-10-29', 25],
  ])('a day in %s, %s, has %i hours', async (timezone, day, hours) => {
    const answer = await runQuery({ from: day, to: day, timezone, interval: 'hour' });
    expect(answer.groups).toHaveLength(hours);
  });

  test('an hour that clocks repeat is two groups, and its day has the clicks of both', async () => {
    await apply([
      click('2026-10-25T00:30:00Z'),
      click('2026-10-25T01:30:00Z', {}, 2),
      click('2026-10-25T23:00:00Z', {}, 4),
    ]);
    const day = { from: '2026-10-25', to: '2026-10-25', timezone: 'Europe/Berlin' };
    expect(without(await runQuery({ ...day, interval: 'hour' }))).toEqual([
      ['2026-10-25T00:00:00.000Z', 1],
      ['2026-10-25T01:00:00.000Z', 2],
    ]);
    expect(clicksOf(await runQuery(day))).toEqual([['2026-10-24T22:00:00.000Z', 3]]);
  });

  test('when clocks are set back over midnight, both times belong to the new day', async () => {
    await apply([
      click('2026-10-24T23:59:00Z'),
      click('2026-10-25T00:30:00Z', { visitor: 2 }, 2),
      click('2026-10-25T01:30:00Z', { visitor: 3 }, 4),
      click('2026-10-26T00:59:00Z', { visitor: 3 }, 8),
    ]);
    const timezone = 'Atlantic/Azores';
    const days = { from: '2026-10-24', to: '2026-10-26', timezone, visitors: true };
    const { groups, clicks } = await runQuery(days);
    expect(groups).toEqual([
      { name: '2026-10-24T00:00:00.000Z', clicks: 1, visitors: 1 },
      { name: '2026-10-25T00:00:00.000Z', clicks: 14, visitors: 2 },
      { name: '2026-10-26T01:00:00.000Z', clicks: 0, visitors: 0 },
    ]);
    expect(clicks).toBe(15);
    const clicksOn = async (day: string) => clicksOf(await runQuery({ from: day, to: day, timezone }));
    expect(await clicksOn('2026-10-24')).toEqual([['2026-10-24T00:00:00.000Z', 1]]);
    expect(await clicksOn('2026-10-25')).toEqual([['2026-10-25T00:00:00.000Z', 14]]);
  });

  test('days and hours at +05:45 begin at a quarter past the hour', async () => {
    await apply([click('2026-06-01T18:14:59Z'), click('2026-06-01T18:15:00Z', {}, 2)]);
    const days = { from: '2026-06-01', to: '2026-06-02', timezone: 'Asia/Kathmandu' };
    expect(clicksOf(await runQuery(days))).toEqual([
      ['2026-05-31T18:15:00.000Z', 1],
      ['2026-06-01T18:15:00.000Z', 2],
    ]);
    expect(without(await runQuery({ ...days, groupBy: 'hour_of_week' }))).toEqual([
      ['1-23', 1],
      ['2-00', 2],
    ]);
  });
});

describe('queries that need click events', () => {
  test('minutes and filters before the retention throw with the start of the retention', async () => {
    const since = new Date('2026-11-01T00:00:00Z');
    await db()('analytics_state').update({ events_since: since });
    const range = { from: '2026-10-31', to: '2026-11-01' };
    await expect(runQuery({ ...range, interval: 'minute' })).rejects.toThrow(RetentionExceeded);
    await expect(runQuery({ ...range, filters: { os: 'Linux' } })).rejects.toMatchObject({ since });
    await expect(
      runQuery({ from: '2026-11-01', to: '2026-11-01', filters: { os: 'Linux' }, compare: true }),
    ).rejects.toThrow(RetentionExceeded);
    expect(
      (await runQuery({ from: '2026-11-01', to: '2026-11-01', interval: 'minute' })).groups,
    ).toHaveLength(1_440);
  });

  test('clicks without an event are reported when click events are counted', async () => {
    await apply([
      click('2026-11-20T10:00:00Z'),
      click('2026-11-20T10:01:00Z', { visitor: '' }, 2),
      click('2026-11-20T10:02:00Z', null, 4),
    ]);
    const answer = await runQuery({ from: '2026-11-20', to: '2026-11-20', filters: { country: 'DE' } });
    expect(answer.clicks).toBe(1);
    expect(answer.withoutRow).toBe(6);
    expect(answer.source).toBe('rows');
  });

  test('partial days past their retention count as whole days when grouped by value', async () => {
    await apply([click('2026-11-20T01:00:00Z', { country: 'NP' }), click('2026-11-20T13:00:00Z')]);
    const range = { from: new Date('2026-11-20T12:00:00Z'), to: new Date('2026-11-21T00:00:00Z') };
    expect(await runQuery({ ...range, groupBy: 'country' })).toMatchObject({
      range,
      source: 'both',
      clicks: 1,
    });
    await db()('analytics_state').update({ events_since: '2026-11-21' });
    expect(await runQuery({ ...range, groupBy: 'country' })).toMatchObject({
      range: { from: new Date('2026-11-20T00:00:00Z'), to: range.to },
      source: 'roll-ups',
      clicks: 2,
    });
  });

  test('distinct visitors are counted by group, and by day past the retention', async () => {
    await apply([
      click('2026-11-19T10:00:00Z', { visitor: 1 }),
      click('2026-11-20T10:00:00Z', { visitor: 2 }, 3),
      click('2026-11-20T11:00:00Z', { visitor: 2, country: 'NP' }),
      click('2026-11-20T11:00:00Z', { visitor: 3, isBot: true }),
    ]);
    const range = { from: '2026-11-19', to: '2026-11-20', visitors: true };
    const byCountry = await runQuery({ ...range, groupBy: 'country' });
    expect(byCountry.visitors).toBe(3);
    expect(byCountry.groups.map(({ visitors }) => visitors)).toEqual([3, 1]);
    expect((await runQuery({ ...range, bots: 'exclude' })).groups.map(({ visitors }) => visitors)).toEqual([
      1, 1,
    ]);
    await db()('analytics_state').update({ events_since: '2026-11-20' });
    await db()('url_visitors_daily').insert({ url_id: urlIds[0], day: '2026-11-19', people: 5, bots: 1 });
    expect((await runQuery(range)).visitors).toBe(8);
    expect((await runQuery({ ...range, scope: { owner: null } })).visitors).toBeUndefined();
  });
});

test('groups without clicks have 0 clicks', async () => {
  const range = { from: '2026-11-02', to: '2026-11-15' };
  expect(clicksOf(await runQuery({ ...range, interval: 'week' }))).toEqual([
    ['2026-11-02T00:00:00.000Z', 0],
    ['2026-11-09T00:00:00.000Z', 0],
  ]);
  expect(clicksOf(await runQuery({ ...range, groupBy: 'bot' }))).toEqual([
    ['person', 0],
    ['bot', 0],
  ]);
  expect((await runQuery({ ...range, groupBy: 'hour_of_week' })).groups).toHaveLength(168);
  expect((await runQuery({ ...range, groupBy: 'country' })).groups).toEqual([]);
});

test('values beyond the limit, and catch-all values, count as other', async () => {
  const at = '2026-11-20T10:00:00Z';
  await apply(['DE', 'NP', 'FR', '*'].map((country, i) => click(at, { country }, 4 - i)));
  const answer = await runQuery({ from: '2026-11-20', to: '2026-11-20', groupBy: 'country', limit: 2 });
  expect(answer.clicks).toBe(10);
  expect(clicksOf(answer)).toEqual([
    ['DE', 4],
    ['NP', 3],
  ]);
  expect(answer.other).toBe(3);
  const all = await runQuery({ from: '2026-11-20', to: '2026-11-20', groupBy: 'country', limit: 4 });
  expect(clicksOf(all)).toHaveLength(3);
  expect(all.other).toBe(1);
});

test('the previous range has the same length in local time', async () => {
  await apply([
    click('2026-10-24T21:59:00Z', {}, 8),
    click('2026-10-24T22:00:00Z', {}, 4),
    click('2026-10-25T22:59:00Z', {}, 2),
  ]);
  const day = { from: '2026-10-26', to: '2026-10-26', timezone: 'Europe/Berlin', compare: true };
  expect((await runQuery(day)).previous).toEqual({
    from: new Date('2026-10-24T22:00:00Z'),
    to: new Date('2026-10-25T23:00:00Z'),
    clicks: 6,
  });
});

test('the previous range of less than a day keeps its length when clocks are set back', async () => {
  await apply([click('2026-10-25T00:20:00Z', {}, 2)]);
  const range = { from: new Date('2026-10-25T00:45:00Z'), to: new Date('2026-10-25T01:15:00Z') };
  expect((await runQuery({ ...range, timezone: 'Europe/Berlin', compare: true })).previous).toEqual({
    from: new Date('2026-10-25T00:15:00Z'),
    to: range.from,
    clicks: 2,
  });
});

test('an empty range, and a range with too many groups, are rejected', async () => {
  await expect(runQuery({ from: '2026-11-02', to: '2026-11-01' })).rejects.toThrow(EmptyRange);
  await expect(runQuery({ from: '2025-01-01', to: '2026-11-01', interval: 'hour' })).rejects.toThrow(
    TooManyBuckets,
  );
});

test('owner, tag and short code select clicks, and deleted short URLs are excluded', async () => {
  await apply(urlIds.map((urlId, i) => ({ ...click('2026-11-20T10:00:00Z', {}, i + 1), urlId })));
  const range = { from: '2026-11-20', to: '2026-11-20' };
  const { id: owner } = await createApiKeys(db()).create('one');
  await db()('urls')
    .where({ id: urlIds[0] })
    .update({ created_by: owner, tags: ['one'] });
  const clicksFor = async (scope: AnalyticsQuery['scope']) => (await runQuery({ ...range, scope })).clicks;
  expect(await clicksFor({ owner: null })).toBe(3);
  expect(await clicksFor({ owner })).toBe(1);
  expect(await clicksFor({ owner: null, tag: 'one' })).toBe(1);
  expect(await clicksFor({ owner: owner + 1, tag: 'one' })).toBe(0);
  await expect(clicksFor({ owner: owner + 1, shortCode })).rejects.toThrow(UrlNotFound);
  await db()('urls').where({ id: urlIds[1] }).update({ deleted_at: new Date() });
  expect(await clicksFor({ owner: null })).toBe(1);
});
