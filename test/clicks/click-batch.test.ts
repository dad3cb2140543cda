import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Batch, createOpenBatch, decodeBatch, encodeBatch } from '../../src/clicks/click-batch.ts';

const count = fc.oneof(fc.integer({ min: 1, max: 1_000 }), fc.constant(Number.MAX_SAFE_INTEGER));
const batch: fc.Arbitrary<Batch> = fc.record({
  producer: fc.uuid(),
  seq: count,
  accepted: count,
  clicks: fc.array(
    fc.record({
      urlId: count,
      count,
      lastAtMs: fc.oneof(fc.nat(8_640_000), fc.integer({ min: 1.7e12, max: 1.8e12 })),
    }),
    { minLength: 1, maxLength: 50 },
  ),
});
const sample: Batch = {
  producer: '0197a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b',
  seq: 42,
  accepted: 99,
  clicks: [
    { urlId: 7, count: 3, lastAtMs: 1_700_000_000_500 },
    { urlId: 8, count: 1, lastAtMs: 1_700_000_000_000 },
  ],
};

test('every batch is read back as it was written', () => {
  fc.assert(
    fc.property(batch, (one) => {
      expect(decodeBatch(encodeBatch(one))).toEqual(one);
    }),
    { numRuns: 1_000 },
  );
});

test('the fields of a stream entry are the ones that a worker of another release reads', () => {
  expect(encodeBatch(sample)).toEqual([
    'p',
    sample.producer,
    's',
    '42',
    'a',
    '99',
    't',
    '1700000000000',
    'c',
    '7,3,500;8,1,0',
  ]);
});

const nonsense = fc.oneof(
  fc.string(),
  fc.constantFrom(
    '',
    '0',
    '-1',
    '1.5',
    'NaN',
    'Infinity',
    '1e400',
    '9007199254740992',
    '7,3',
    '7,3,0,9',
    '7,,0',
    ',,',
    '7,3,0;',
    ';',
    '7,0,0',
    '0,1,0',
    '-7,1,0',
    '7,1,-1700000000001',
    '7,1,1e300',
    '7,1,x',
    sample.producer.toUpperCase(),
    sample.producer.slice(1),
    'x',
  ),
);

test('an entry with any one field exchanged is read as a sound batch or not at all, and never throws', () => {
  const fields = encodeBatch(sample);
  fc.assert(
    fc.property(
      fc.nat(fields.length),
      nonsense,
      fc.constantFrom('exchange', 'insert', 'cut'),
      (at, text, how) => {
        const hostile =
          how === 'cut' ? fields.slice(0, at) : fields.toSpliced(at, how === 'exchange' ? 1 : 0, text);
        const read = decodeBatch(hostile);
        if (!read) return;
        expect(read.clicks.length).toBeGreaterThan(0);
        for (const number of [
          read.seq,
          read.accepted,
          ...read.clicks.flatMap((click) => [click.urlId, click.count]),
        ])
          expect(Number.isSafeInteger(number) && number > 0).toBe(true);
        for (const { lastAtMs } of read.clicks) expect(new Date(lastAtMs).getTime()).toBe(lastAtMs);
      },
    ),
    { numRuns: 5_000 },
  );
});

test('an entry of any fields whatsoever never throws', () => {
  fc.assert(
    fc.property(fc.array(nonsense, { maxLength: 10 }), (fields) => {
      expect(() => decodeBatch(fields)).not.toThrow();
    }),
    { numRuns: 2_000 },
  );
});

test.each([
  ['another name of a field', ['q', sample.producer, 's', '1', 'a', '1', 't', '0', 'c', '7,1,0']],
  ['a further field', [...encodeBatch(sample), 'x', 'y']],
  ['no producer', ['p', '', 's', '1', 'a', '1', 't', '0', 'c', '7,1,0']],
  ['seq 0', ['p', sample.producer, 's', '0', 'a', '1', 't', '0', 'c', '7,1,0']],
  ['nothing accepted', ['p', sample.producer, 's', '1', 'a', '0', 't', '0', 'c', '7,1,0']],
  ['no clicks', ['p', sample.producer, 's', '1', 'a', '1', 't', '0', 'c', '']],
  ['an empty entry among the clicks', ['p', sample.producer, 's', '1', 'a', '1', 't', '0', 'c', '7,1,0;']],
  ['a time before 1970', ['p', sample.producer, 's', '1', 'a', '1', 't', '0', 'c', '7,1,-1']],
  [
    'a time that no date can say',
    ['p', sample.producer, 's', '1', 'a', '1', 't', '8640000000000001', 'c', '7,1,0'],
  ],
])('an entry with %s is no batch', (_, fields) => {
  expect(decodeBatch(fields)).toBeUndefined();
});

test('an open batch merges the clicks on one URL within one minute and loses none', () => {
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
  expect([open.distinct, open.clicks, open.dropped]).toEqual([4, 6, 0]);
  expect(open.entries()).toEqual([
    { urlId: 1, count: 3, lastAtMs: minute - 1 },
    { urlId: 2, count: 1, lastAtMs: 70 },
    { urlId: 1, count: 1, lastAtMs: minute },
    { urlId: 2, count: 1, lastAtMs: minute + 5 },
  ]);
});

test('an open batch that is full gives up the minutes first, and no count', () => {
  const open = createOpenBatch(4);
  for (let minute = 0; minute < 10; minute++) for (const urlId of [1, 2, 3]) open.add(urlId, minute * 60_000);
  expect([open.distinct, open.clicks, open.dropped]).toEqual([3, 30, 0]);
  expect(open.entries()).toEqual([1, 2, 3].map((urlId) => ({ urlId, count: 10, lastAtMs: 9 * 60_000 })));
});

test('an open batch that is full of short URLs drops clicks on further ones alone, and says how many', () => {
  const open = createOpenBatch(3);
  for (let round = 0; round < 5; round++) for (const urlId of [1, 2, 3, 4, 5]) open.add(urlId, 0);
  expect([open.distinct, open.clicks, open.dropped]).toEqual([3, 15, 10]);
  expect(open.entries().map(({ urlId, count }) => [urlId, count])).toEqual([
    [1, 5],
    [2, 5],
    [3, 5],
  ]);
});
