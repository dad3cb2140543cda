import fc from 'fast-check';
import { expect, test } from 'vitest';
import { deviceKinds } from '../../../../src/clicks/enrichment/agents/device-kinds.ts';
import {
  browserNames,
  createUserAgents,
  systemNames,
} from '../../../../src/clicks/enrichment/agents/user-agents.ts';

const { find } = createUserAgents();
const chrome =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36';
const iphone =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.2 Mobile/15E148 Safari/604.1';
const ipad =
  'Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.6 Mobile/15E148 Safari/604.1';
const googlebot = 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)';

test.each([
  ['Chrome on Windows', chrome, { browser: 'Chrome', os: 'Windows', device: 'desktop', isBot: false }],
  ['Safari on a phone', iphone, { browser: 'Safari', os: 'iOS', device: 'mobile', isBot: false }],
  ['Safari on a tablet', ipad, { browser: 'Safari', os: 'iOS', device: 'tablet', isBot: false }],
  ['a crawler', googlebot, { browser: 'Googlebot', os: '', device: '', isBot: true }],
  ['curl', 'curl/8.5.0', { browser: '', os: '', device: '', isBot: true }],
  ['no header', '', { browser: '', os: '', device: '', isBot: true }],
  ['an empty header', '   ', { browser: '', os: '', device: '', isBot: true }],
])('%s is parsed, with and without a cached result', (_, header, agent) => {
  for (let times = 0; times < 2; times++) expect(find(header)).toMatchObject(agent);
});

test('different headers have different digests, equal headers the same one', () => {
  expect(find(chrome).digest).toMatch(/^[0-9a-f]{16}$/);
  expect(find(`${chrome} `).digest).not.toBe(find(chrome).digest);
  expect(createUserAgents().find(chrome).digest).toBe(find(chrome).digest);
});

test('of a 10 KB header, only the first 512 characters are parsed', () => {
  const long = `${chrome}${' x'.repeat(5_000)}`;
  expect(find(long)).toMatchObject({ browser: 'Chrome', os: 'Windows' });
  expect(find(`${long}y`)).toEqual(find(long));
});

test('for any header, all names are from the known lists', () => {
  const names = new Set(['', ...browserNames, ...systemNames, ...deviceKinds]);
  const part = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      '<script>/1.0',
      'Chrome/99',
      'Android',
      '\n',
      '\t',
      '\0',
      'iPhone',
      'Unlisted/1.0',
      'Generic/2.0',
      ';',
      '(',
    ),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
      const { browser, os, device } = find(parts.join(' '));
      expect([browser, os, device].filter((name) => !names.has(name))).toEqual([]);
    }),
    { numRuns: 100 },
  );
  expect(find('Unlisted/1.0').browser).toBe('');
});
