import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Batch } from '../../../src/clicks/click-batch.ts';
import type { ClickDetail } from '../../../src/clicks/click-detail.ts';
import { botKinds } from '../../../src/clicks/enrichment/agents/bot-kinds.ts';
import { toShortText } from '../../../src/clicks/short-text.ts';
import { decodeBatch, encodeBatch } from '../../../src/clicks/stream/batch-codec.ts';

const count = fc.oneof(fc.integer({ min: 1, max: 1_000 }), fc.constant(Number.MAX_SAFE_INTEGER));
const lastAtMs = fc.oneof(fc.nat(8_640_000), fc.integer({ min: 1.7e12, max: 1.8e12 }));
const separators = fc.constantFrom(
  '\n',
  '\t',
  ',',
  ';',
  '\n\n',
  ',0',
  '\0',
  '\u{1f}',
  '\u{2028}',
  '\ud800',
  '😀',
  '<b>',
);
const hostile = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.array(separators).map((texts) => texts.join('a')),
);
const text = fc
  .oneof(hostile, fc.constantFrom('', 'Chrome', 'C', 'CC', 'x', '\v', 'Windows', 'a.example'))
  .map(toShortText);
const detail = fc
  .record({
    country: fc.constantFrom('', 'DE', 'US', 'NP'),
    referrer: text,
    browser: text,
    os: text,
    device: text,
    bot: fc.constantFrom(
      { isBot: false },
      { isBot: true },
      ...botKinds.map((botKind) => ({ isBot: true, botKind })),
    ),
    visitor: fc.oneof(
      fc.constant(''),
      fc.constantFrom('00000000000000ff', 'ffffffffffffffff', 'a1b2c3d4e5f60718'),
    ),
  })
  .map(({ bot, ...rest }) => Object.assign(rest, bot));
const plainClick = fc.record({ urlId: count, count, lastAtMs });
const click = fc.oneof(plainClick, fc.record({ urlId: count, count, lastAtMs, detail }));
const batch: fc.Arbitrary<Batch> = fc.record({
  producer: fc.uuid(),
  seq: count,
  accepted: count,
  clicks: fc.oneof(...[plainClick, click].map((one) => fc.array(one, { minLength: 1, maxLength: 50 }))),
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
const detailed: Batch = {
  ...sample,
  clicks: [
    {
      urlId: 7,
      count: 3,
      lastAtMs: 1_700_000_000_500,
      detail: {
        country: 'DE',
        referrer: 'news.example',
        browser: 'Microsoft Edge',
        os: 'Windows',
        device: 'desktop',
        isBot: false,
        visitor: '0123456789abcdef',
      },
    },
    {
      urlId: 99,
      count: 1,
      lastAtMs: 1_700_000_000_000,
      detail: { country: '', referrer: '', browser: '', os: '', device: '', isBot: true, visitor: '' },
    },
    { urlId: 8, count: 2, lastAtMs: 1_700_000_000_036 },
  ],
};

test('each batch is decoded as it was encoded', () => {
  fc.assert(
    fc.property(batch, (one) => {
      expect(decodeBatch(encodeBatch(one))).toEqual(one);
    }),
    { numRuns: 1_000 },
  );
});

test('the fields of a stream entry match those of other releases', () => {
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
  expect(encodeBatch(detailed).slice(8)).toEqual([
    'r',
    'news.example',
    'u',
    'E\tW\tD\t\n\t\t\t1',
    'v',
    'ASNFZ4mrze8AAAAAAAAAAA',
    'c',
    '7,dw,DE0,0,3;2r,0,,1;8,10,,,2',
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
    '7,0,DE0,0',
    '7,0,DE0,1',
    '7,0,DE1,0',
    '7,0,DE0,',
    '7,0,de0,0',
    '7,0,DE0,0,0',
    'zzzzzzzzzzzz,0,,0',
    'a\tb\tc\t1',
    'aa\tbb\tcc\t1',
    'C\tW\tD\t',
    'C\tW\tB\t',
    'CC\tC\v\tW\v\v\t',
    'a\tb\tc\t2',
    'a\tb\tc',
    'x'.repeat(101),
    'AAAAAAAAAAA',
    'ASNFZ4mrze8AAAAAAAAAAA=',
    '\u{1}',
    sample.producer.toUpperCase(),
    sample.producer.slice(1),
    'x',
  ),
);

/** Fields of a batch with details, with one value replaced. */
function replaceField(name: string, value: string): string[] {
  const fields = encodeBatch(detailed);
  return fields.with(fields.indexOf(name) + 1, value);
}

function expectValid({ country, referrer, browser, os, device, visitor }: ClickDetail): void {
  expect(country).toMatch(/^([A-Z]{2})?$/);
  expect(visitor).toMatch(/^([0-9a-f]{16})?$/);
  for (const one of [referrer, browser, os, device]) expect(toShortText(one)).toBe(one);
}

test.each([
  ['without details', sample],
  ['with details', detailed],
])('an entry %s with one field replaced yields a valid batch or none, and never throws', (_, one) => {
  const fields = encodeBatch(one);
  fc.assert(
    fc.property(
      fc.nat(fields.length),
      nonsense,
      fc.constantFrom('replaceField', 'insert', 'cut'),
      (at, text, how) => {
        const hostile =
          how === 'cut' ? fields.slice(0, at) : fields.toSpliced(at, how === 'replaceField' ? 1 : 0, text);
        const read = decodeBatch(hostile);
        if (!read) return;
        expect(read.clicks.length).toBeGreaterThan(0);
        for (const number of [
          read.seq,
          read.accepted,
          ...read.clicks.flatMap((click) => [click.urlId, click.count]),
        ])
          expect(Number.isSafeInteger(number) && number > 0).toBe(true);
        for (const { lastAtMs, detail } of read.clicks) {
          expect(new Date(lastAtMs).getTime()).toBe(lastAtMs);
          if (detail) expectValid(detail);
        }
      },
    ),
    { numRuns: 5_000 },
  );
});

test('an entry with arbitrary fields never throws', () => {
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
    'a time that no date can print',
    ['p', sample.producer, 's', '1', 'a', '1', 't', '8640000000000001', 'c', '7,1,0'],
  ],
  ['a detail without a user agent', replaceField('u', '')],
  ['a referrer that is not there', replaceField('r', '')],
  ['a visitor less than clicks', replaceField('v', 'ASNFZ4mrze8')],
  ['a visitor more than clicks', replaceField('v', 'ASNFZ4mrze8AAAAAAAAAAAAAAAAAAAAA')],
  ['a control character in a text', replaceField('r', 'news\u{7}')],
  ['a text that is too long', replaceField('r', 'n'.repeat(101))],
  ['a country in small letters', replaceField('c', '7,0,de0,0;2r,0,,1')],
  ['a count of 0', replaceField('c', '7,0,DE0,0,0;2r,0,,1')],
])('an entry with %s is not a batch', (_, fields) => {
  expect(decodeBatch(fields)).toBeUndefined();
});

test('an earlier release without bot kinds can read all lines that clicks refer to', () => {
  const botOf = (botKind: 'ai' | 'search') => ({
    urlId: 7,
    count: 1,
    lastAtMs: 1_700_000_000_000,
    detail: { ...detailed.clicks[1]!.detail!, botKind },
  });
  const fields = encodeBatch({ ...sample, clicks: [detailed.clicks[0]!, botOf('ai'), botOf('search')] });
  const agents = fields[fields.indexOf('u') + 1]!.split('\n');
  // Three user agents in the format of that release, and a line that no click refers to.
  expect(agents).toEqual(['E\tW\tD\t', '\t\t\t1', '\t\t\t1', '\v-as']);
});

test('bots in a batch of an earlier release have no kind', () => {
  const clicks = [detailed.clicks[1]!];
  expect(decodeBatch(encodeBatch({ ...sample, clicks }))!.clicks).toEqual(clicks);
});
