import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createUserAgents } from '../../../src/clicks/enrichment/agents/user-agents.ts';
import { createEnricher } from '../../../src/clicks/enrichment/enrich.ts';
import { createReferrers } from '../../../src/clicks/enrichment/referrers.ts';
import { createVisitorIds } from '../../../src/clicks/enrichment/visitor-ids.ts';
import { decodeBatch, encodeBatch } from '../../../src/clicks/stream/batch-codec.ts';
import { createReadClientAddress } from '../../../src/http/server/client-address.ts';

const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0';
const visitorIds = createVisitorIds({ saltAt: () => 'salt' });

function createTestEnricher(more: Partial<Parameters<typeof createEnricher>[0]> = {}) {
  const enrich = createEnricher({
    userAgents: createUserAgents(),
    referrers: createReferrers(['sho.rt']),
    countryHeader: 'cf-ipcountry',
    countryFile: undefined,
    visitorIds,
    respectsDoNotTrack: true,
    readAddress: createReadClientAddress(0),
    ...more,
  });
  return (headers: IncomingHttpHeaders, remoteAddress: string | undefined = '203.0.113.7') =>
    enrich({ headers, socket: { remoteAddress } } as unknown as IncomingMessage, 0)!;
}

const enrich = createTestEnricher();

test('a click has the country, referrer, user agent and visitor ID of its request', () => {
  const headers = {
    'user-agent': firefox,
    referer: 'https://News.example/a?b',
    'cf-ipcountry': 'NP',
  };
  expect(enrich(headers)).toEqual({
    country: 'NP',
    referrer: 'news.example',
    browser: 'Firefox',
    os: 'Linux',
    device: 'desktop',
    isBot: false,
    visitor: expect.stringMatching(/^[0-9a-f]{16}$/),
  });
});

test('a click without headers is a bot click with only a visitor ID', () => {
  expect(enrich({})).toMatchObject({
    country: '',
    referrer: '',
    browser: '',
    os: '',
    device: '',
    isBot: true,
  });
});

test.each([
  ['de', 'DE'],
  ['Np', 'NP'],
  ['xx', ''],
  ['t1', ''],
  ['DE', 'DE'],
  ['XX', ''],
  ['T1', ''],
  ['', ''],
  ['DEU', ''],
  ['D\u{c9}', ''],
  ["'><", ''],
])('the CDN country "%s" is stored as "%s"', (named, country) => {
  expect(enrich({ 'cf-ipcountry': named }).country).toBe(country);
});

test('the country is from the CDN header if present, otherwise from the file', () => {
  const lookedUp: string[] = [];
  const countryFile = {
    find: (address: string) => {
      lookedUp.push(address);
      return address === '203.0.113.7' ? 'DE' : 'not a country';
    },
  };
  const withBoth = createTestEnricher({ countryFile });
  expect(withBoth({ 'cf-ipcountry': 'NP' }).country).toBe('NP');
  expect(withBoth({ 'cf-ipcountry': 'XX' }).country).toBe('');
  expect(lookedUp).toEqual([]);
  expect(withBoth({}).country).toBe('DE');
  expect(withBoth({}, '203.0.113.8').country).toBe('');
  expect(lookedUp).toEqual(['203.0.113.7', '203.0.113.8']);
});

test('a visitor ID depends on address and user agent, and is empty without an address', () => {
  const { visitor } = enrich({ 'user-agent': firefox });
  expect(enrich({ 'user-agent': firefox, referer: 'https://a.example/' }).visitor).toBe(visitor);
  expect(enrich({ 'user-agent': firefox }, '203.0.113.8').visitor).not.toBe(visitor);
  expect(enrich({ 'user-agent': `${firefox}.1` }).visitor).not.toBe(visitor);
  expect(createTestEnricher({ readAddress: () => '' })({}).visitor).toBe('');
  expect(createTestEnricher({ visitorIds: undefined })({}).visitor).toBe('');
});

test('an opt-out header removes only the visitor ID, unless the setting ignores it', () => {
  for (const optOut of [{ 'sec-gpc': '1' }, { dnt: '1' }]) {
    const headers = { 'user-agent': firefox, ...optOut };
    expect(enrich(headers)).toMatchObject({ browser: 'Firefox', visitor: '' });
    expect(createTestEnricher({ respectsDoNotTrack: false })(headers).visitor).not.toBe('');
  }
  expect(enrich({ dnt: '0', 'sec-gpc': '0' }).visitor).not.toBe('');
});

test('for any headers, the stored details survive encoding and decoding', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 120 }),
    fc.constantFrom(
      '<script>',
      `${firefox}\n`,
      'https://a,b;c/',
      'x'.repeat(10_000),
      'a\tb',
      'DE\n',
      'https://\u{202e}/',
    ),
  );
  const headers = fc.record(
    { 'user-agent': text, referer: text, 'cf-ipcountry': text, dnt: text },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.array(headers, { minLength: 1, maxLength: 10 }), (requests) => {
      const batch = {
        producer: '0197a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b',
        seq: 1,
        accepted: requests.length,
        clicks: requests.map((one, i) => ({ urlId: i + 1, count: 1, lastAtMs: i, detail: enrich(one) })),
      };
      expect(decodeBatch(encodeBatch(batch))).toEqual(batch);
    }),
    { numRuns: 50 },
  );
});
