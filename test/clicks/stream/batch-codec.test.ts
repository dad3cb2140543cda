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

/** The parts of the two samples, in hexadecimal digits: other releases read and write the same. */
const head = ['0197a1b2c3d47e5f8a9b0c1d2e3f4a5b', '2a', '63', '80d095ffbc31', '07'];
const plainParts = [...head, '00', '00', '00', '04', '00f4030103', '010000'];
const detailedParts = [
  ...head,
  '024445',
  '0c6e6577732e6578616d706c65',
  '02',
  '050f0400',
  '01010101',
  '07',
  '00f403030303',
  '5c000400',
  '01240102',
  '0123456789abcdef0000000000000000',
];
const toBytes = (parts: string[]) => Buffer.from(parts.join(''), 'hex');

test.each([
  ['without details', sample, plainParts],
  ['with details', detailed, detailedParts],
])('the bytes of a batch %s match those of other releases', (_, one, parts) => {
  expect(encodeBatch(one).toString('hex')).toBe(parts.join(''));
});

/** Bytes of a batch with details, changed in one place. */
const changed = fc
  .record({
    one: batch,
    at: fc.nat(),
    bytes: fc.uint8Array({ maxLength: 12 }),
    how: fc.constantFrom('cut', 'insert', 'replace', 'extend'),
  })
  .map(({ one, at, bytes, how }) => {
    const encoded = encodeBatch(one);
    const start = how === 'extend' ? encoded.length : at % encoded.length;
    const end = { cut: encoded.length, insert: start, replace: start + bytes.length, extend: start }[how];
    return Buffer.concat([encoded.subarray(0, start), bytes, encoded.subarray(end)]);
  });

function expectValid({ country, referrer, browser, os, device, isBot, botKind, visitor }: ClickDetail): void {
  expect(country).toMatch(/^([A-Z]{2})?$/);
  expect(visitor).toMatch(/^([0-9a-f]{16})?$/);
  for (const one of [referrer, browser, os, device]) expect(toShortText(one)).toBe(one);
  expect(isBot ? [undefined, ...botKinds] : [undefined]).toContain(botKind);
}

test.each([
  ['changed in one place', changed],
  ['that are random', fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes))],
])('bytes %s are a valid batch or none, and never throw', (_, hostile) => {
  fc.assert(
    fc.property(hostile, (bytes) => {
      const read = decodeBatch(bytes);
      if (!read) return;
      expect(read.clicks.length).toBeGreaterThan(0);
      const counts = read.clicks.flatMap((one) => [one.urlId, one.count]);
      for (const number of [read.seq, read.accepted, ...counts])
        expect(Number.isSafeInteger(number) && number > 0).toBe(true);
      for (const click of read.clicks) {
        expect(new Date(click.lastAtMs).getTime()).toBe(click.lastAtMs);
        if (click.detail) expectValid(click.detail);
      }
    }),
    { numRuns: 20_000 },
  );
});

const withPart = (place: number, part: string) => detailedParts.with(place, part);

test.each([
  ['no bytes', []],
  ['a producer that is too short', [head[0]!.slice(2)]],
  ['sequence number 0', withPart(1, '00')],
  ['a sequence number that is no safe integer', withPart(1, 'ffffffffffffff7f')],
  ['a number that does not end', withPart(1, 'ffffffffffffffffff01')],
  ['nothing accepted', withPart(2, '00')],
  ['a time that no date can print', withPart(3, '80808080808080ff7f')],
  ['half a country', withPart(5, '0144')],
  ['a country in small letters', withPart(5, '026465')],
  ['a control character in a referrer', withPart(6, '056e65777307')],
  ['a referrer that is too long', withPart(6, `65${'6e'.repeat(101)}`)],
  ['fewer user agents than their number', withPart(7, '7f')],
  ['an unknown name', withPart(8, '7f0f0400')],
  ['a name with a line break', withPart(8, '00010a0f0400')],
  ['no clicks', [...plainParts.slice(0, 8), '00']],
  ['a click less than their number', withPart(13, '')],
  ['URL ID 0', [...plainParts.slice(0, 4), '00', ...plainParts.slice(5)]],
  ['a count of 0', withPart(11, '00f403030003')],
  ['a user agent that is not there', withPart(12, '5c000600')],
  ['a country that is not there', withPart(11, '00f403030305')],
  ['a visitor less than clicks', withPart(14, '0123456789abcdef')],
  ['further bytes', [...detailedParts, '00']],
])('an entry with %s is not a batch', (_, parts) => {
  expect(decodeBatch(toBytes(parts))).toBeUndefined();
});

test('a kind of bots that a later release knows is unknown', () => {
  const [bot] = decodeBatch(toBytes(withPart(9, '0101017f')))!.clicks.slice(1);
  expect(bot!.detail).toMatchObject({ isBot: true, botKind: undefined });
});

test('a batch of any size is encoded', () => {
  const clicks = Array.from({ length: 5_000 }, (_, i) => ({
    ...detailed.clicks[0]!,
    urlId: i + 1,
    detail: { ...detailed.clicks[0]!.detail!, referrer: `host-${i}.example` },
  }));
  expect(decodeBatch(encodeBatch({ ...sample, clicks }))).toEqual({ ...sample, clicks });
});
