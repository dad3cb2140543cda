import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ClickDetail } from '../../../src/clicks/click-detail.ts';
import { toShortText } from '../../../src/clicks/short-text.ts';
import { decodeTextBatch } from '../../../src/clicks/stream/text-batch.ts';

const producer = '0197a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b';
/** As 0.1.0 wrote them. */
const head = ['p', producer, 's', '42', 'a', '99', 't', '1700000000000'];
const plain = [...head, 'c', '7,3,500;8,1,0'];
const detailed = [
  ...head,
  'r',
  'news.example',
  'u',
  'E\tW\tD\t\nC\v\tSerenityOS\t\t1',
  'v',
  'ASNFZ4mrze8AAAAAAAAAAA',
  'c',
  '7,dw,DE0,0,3;2r,0,,1;8,10,,,2',
];

test('a batch of 0.1.0 without details is read', () => {
  expect(decodeTextBatch(plain)).toEqual({
    producer,
    seq: 42,
    accepted: 99,
    clicks: [
      { urlId: 7, count: 3, lastAtMs: 1_700_000_000_500 },
      { urlId: 8, count: 1, lastAtMs: 1_700_000_000_000 },
    ],
  });
});

test('a batch of 0.1.0 with details is read', () => {
  const edge = { browser: 'Microsoft Edge', os: 'Windows', device: 'desktop', isBot: false };
  const bot = { browser: 'C', os: 'SerenityOS', device: '', isBot: true };
  expect(decodeTextBatch(detailed)?.clicks).toEqual([
    {
      urlId: 7,
      count: 3,
      lastAtMs: 1_700_000_000_500,
      detail: { country: 'DE', referrer: 'news.example', ...edge, visitor: '0123456789abcdef' },
    },
    {
      urlId: 99,
      count: 1,
      lastAtMs: 1_700_000_000_000,
      detail: { country: '', referrer: '', ...bot, visitor: '' },
    },
    { urlId: 8, count: 2, lastAtMs: 1_700_000_000_036 },
  ]);
});

function expectValid({ country, referrer, browser, os, device }: ClickDetail): void {
  expect(country).toMatch(/^([A-Z]{2})?$/);
  for (const one of [referrer, browser, os, device]) expect(toShortText(one)).toBe(one);
}

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
    '7,0,DE0,0',
    '7,0,DE0,1',
    '7,0,DE1,0',
    '7,0,DE0,',
    '7,0,de0,0',
    '7,0,DE0,0,0',
    'zzzzzzzzzzzz,0,,0',
    'a\tb\tc\t1',
    'C\tW\tD\t',
    'C\tW\tB\t',
    'CC\tC\v\tW\v\v\t',
    'a\tb\tc\t2',
    'a\tb\tc',
    'x'.repeat(101),
    'AAAAAAAAAAA',
    'ASNFZ4mrze8AAAAAAAAAAA=',
    '\u{1}',
    producer.toUpperCase(),
    producer.slice(1),
    'x',
  ),
);

test.each([
  ['without details', plain],
  ['with details', detailed],
])('an entry %s with one field replaced yields a valid batch or none, and never throws', (_, fields) => {
  fc.assert(
    fc.property(fc.nat(fields.length), nonsense, fc.constantFrom(0, 1, Infinity), (at, text, removed) => {
      const read = decodeTextBatch(fields.toSpliced(at, removed, ...(removed === Infinity ? [] : [text])));
      if (!read) return;
      const counts = read.clicks.flatMap((click) => [click.urlId, click.count]);
      for (const number of [read.seq, read.accepted, ...counts])
        expect(Number.isSafeInteger(number) && number > 0).toBe(true);
      for (const { lastAtMs, detail } of read.clicks) {
        expect(new Date(lastAtMs).getTime()).toBe(lastAtMs);
        if (detail) expectValid(detail);
      }
    }),
    { numRuns: 5_000 },
  );
});

/** The fields of the batch with details, with one value replaced. */
const replaceField = (name: string, value: string) => detailed.with(detailed.indexOf(name) + 1, value);
const plainWith = (at: number, value: string) => plain.with(at, value);

test.each([
  ['another name of a field', plainWith(0, 'q')],
  ['a further field', [...plain, 'x', 'y']],
  ['no producer', plainWith(1, '')],
  ['sequence number 0', plainWith(3, '0')],
  ['nothing accepted', plainWith(5, '0')],
  ['no clicks', plainWith(9, '')],
  ['an empty entry among the clicks', plainWith(9, '7,1,0;')],
  ['a time before 1970', plainWith(9, '7,1,-1700000000001')],
  ['a time that no date can print', plainWith(7, '8640000000000001')],
  ['a detail without a user agent', replaceField('u', '')],
  ['a referrer that is not there', replaceField('r', '')],
  ['a visitor less than clicks', replaceField('v', 'ASNFZ4mrze8')],
  ['a visitor more than clicks', replaceField('v', 'ASNFZ4mrze8AAAAAAAAAAAAAAAAAAAAA')],
  ['a control character in a text', replaceField('r', 'news\u{7}')],
  ['a text that is too long', replaceField('r', 'n'.repeat(101))],
  ['a country in small letters', replaceField('c', '7,0,de0,0;2r,0,,1')],
  ['a count of 0', replaceField('c', '7,0,DE0,0,0;2r,0,,1')],
])('an entry with %s is not a batch', (_, fields) => {
  expect(decodeTextBatch(fields)).toBeUndefined();
});
