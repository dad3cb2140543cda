import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ClickDetail } from '../../../src/clicks/click-detail.ts';
import { createOpenBatch } from '../../../src/clicks/recording/open-batch.ts';

/** Details of a click by visitor number. */
const detailOf = (visitor: number, more: Partial<ClickDetail> = {}): ClickDetail => ({
  country: 'DE',
  referrer: '',
  browser: 'Firefox',
  os: 'Linux',
  device: 'desktop',
  isBot: false,
  visitor: visitor.toString(16).padStart(16, '0'),
  ...more,
});

test('an open batch merges clicks on one URL within one minute', () => {
  const minute = 60_000;
  const open = createOpenBatch();
  for (const [urlId, atMs] of [
    [1, 100],
    [1, 50],
    [2, 70],
    [1, minute - 1],
    [1, minute],
    [2, minute + 5],
  ] as const)
    open.add(urlId, atMs);
  expect(open.size).toBe(4);
  expect(open.clicks).toBe(6);
  expect(open.dropped).toBe(0);
  expect(open.entries()).toEqual([
    { urlId: 1, count: 3, lastAtMs: minute - 1 },
    { urlId: 2, count: 1, lastAtMs: 70 },
    { urlId: 1, count: 1, lastAtMs: minute },
    { urlId: 2, count: 1, lastAtMs: minute + 5 },
  ]);
});

test('a full batch merges minutes before it drops clicks', () => {
  const open = createOpenBatch(4);
  for (let minute = 0; minute < 10; minute++) for (const urlId of [1, 2, 3]) open.add(urlId, minute * 60_000);
  expect(open.size).toBe(3);
  expect(open.clicks).toBe(30);
  expect(open.dropped).toBe(0);
  expect(open.entries()).toEqual([1, 2, 3].map((urlId) => ({ urlId, count: 10, lastAtMs: 9 * 60_000 })));
});

test('a batch full of short URLs drops and counts clicks on further ones only', () => {
  const open = createOpenBatch(3);
  for (let round = 0; round < 5; round++) for (const urlId of [1, 2, 3, 4, 5]) open.add(urlId, 0);
  expect(open.size).toBe(3);
  expect(open.clicks).toBe(15);
  expect(open.dropped).toBe(10);
  expect(open.entries().map(({ urlId, count }) => [urlId, count])).toEqual([
    [1, 5],
    [2, 5],
    [3, 5],
  ]);
});

test('an open batch merges only clicks with equal details', () => {
  const open = createOpenBatch();
  const details = [
    detailOf(1),
    detailOf(2),
    detailOf(1, { country: '' }),
    detailOf(1, { referrer: 'a.example' }),
    detailOf(1, { browser: 'Fire', os: 'foxLinux' }),
    detailOf(1, { device: '' }),
    detailOf(1, { isBot: true }),
    undefined,
  ];
  for (let round = 0; round < 3; round++)
    for (const detail of details) open.add(7, 100 + round, detail && { ...detail });
  const entries = open.entries();
  expect(entries.map(({ detail }) => detail)).toEqual(details);
  expect(new Set(entries.map(({ urlId, count, lastAtMs }) => `${urlId} ${count} ${lastAtMs}`))).toEqual(
    new Set(['7 3 102']),
  );
});

test('a full batch merges visitors, then details, then minutes, and drops no click', () => {
  const open = createOpenBatch(4);
  const add = (visitor: number, browser: string, minute: number) =>
    open.add(7, minute * 60_000, detailOf(visitor, { browser }));
  for (let visitor = 1; visitor <= 5; visitor++) add(visitor, 'Firefox', 0);
  expect(open.entries()).toEqual([
    { urlId: 7, count: 5, lastAtMs: 0, detail: { ...detailOf(0), visitor: '' } },
  ]);
  for (const browser of ['Chrome', 'Safari', 'Edge', 'Opera']) add(6, browser, 0);
  expect(open.entries()).toEqual([{ urlId: 7, count: 9, lastAtMs: 0 }]);
  for (let minute = 1; minute <= 4; minute++) add(7, 'Firefox', minute);
  expect(open.entries()).toEqual([{ urlId: 7, count: 13, lastAtMs: 4 * 60_000 }]);
  expect(open.clicks).toBe(13);
  expect(open.dropped).toBe(0);
});

test('for any clicks, an open batch respects its limit and accounts for each click once', () => {
  const click = fc.record({
    urlId: fc.integer({ min: 1, max: 6 }),
    atMs: fc.nat(300_000),
    detail: fc.option(
      fc
        .record({ visitor: fc.nat(3), browser: fc.constantFrom('', 'Firefox') })
        .map(({ visitor, browser }) => detailOf(visitor, { browser })),
      { nil: undefined },
    ),
  });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), fc.array(click, { maxLength: 60 }), (maxEntries, clicks) => {
      const open = createOpenBatch(maxEntries);
      for (const { urlId, atMs, detail } of clicks) open.add(urlId, atMs, detail);
      const entries = open.entries();
      expect(entries.length).toBeLessThanOrEqual(maxEntries);
      expect(open.clicks + open.dropped).toBe(clicks.length);
      expect(entries.reduce((sum, entry) => sum + entry.count, 0)).toBe(open.clicks);
      const urls = new Set(entries.map(({ urlId }) => urlId)).size;
      expect(open.dropped === 0 || urls === maxEntries).toBe(true);
    }),
    { numRuns: 500 },
  );
});
