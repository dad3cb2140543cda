import fc from 'fast-check';
import { expect, test } from 'vitest';
import { leaveOutAddresses } from '../../src/transfers/address-filter.ts';
import type { Encoding } from '../../src/transfers/transfer.ts';

/** The file without addresses, where it comes in parts of so many bytes. */
async function filter(encoding: Encoding, file: string, partBytes: number): Promise<string> {
  async function* source() {
    const bytes = Buffer.from(file);
    for (let at = 0; at < bytes.length; at += partBytes) yield bytes.subarray(at, at + partBytes);
  }
  const parts: Buffer[] = [];
  for await (const part of leaveOutAddresses(encoding, source())) parts.push(part);
  return Buffer.concat(parts).toString();
}

test('of a column of addresses nothing is left but its name, however the file comes', async () => {
  const row = (i: number) =>
    `key${i},https://example.com/${i},"A ""title"",\nof two lines",203.0.113.${i % 250},${i}`;
  const lines = Array.from({ length: 4_000 }, (_, i) => row(i));
  const file = ['keyword,url,title,ip,clicks', ...lines].join('\n');
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1_000, max: 300_000 }), async (partBytes) => {
      const filtered = await filter('csv', file, partBytes);
      expect(filtered).not.toContain('203.0.113.');
      expect(filtered.trimEnd()).toBe(file.replaceAll(/203\.0\.113\.\d+/g, ''));
    }),
    { numRuns: 10 },
  );
});

test('rows that cannot be read are left out of a file with addresses, and those that are too long', async () => {
  const file = `keyword,url,ip\na"b,https://example.com/,203.0.113.1\n${'x'.repeat(600_000)}203.0.113.2\nlast,https://example.com/,203.0.113.3\n`;
  const filtered = await filter('csv', file, 100_000);
  expect(filtered).not.toContain('203.0.113.');
  expect(filtered).toMatch(/^keyword,url,ip\n.*may hold an address.*\n[^]*last,https:\/\/example\.com\/,\n$/);
});

test('JSON objects lose their addresses too', async () => {
  const line = (i: number) =>
    JSON.stringify({ keyword: `k${i}`, url: 'https://example.com/', ip: '2001:db8::1' });
  const filtered = await filter('ndjson', `${[1, 2, 3].map(line).join('\n')}\n`, 10);
  expect(filtered).toBe([1, 2, 3].map((i) => `{"keyword":"k${i}","url":"https://example.com/"}\n`).join(''));
});

test('a file without a column of addresses passes byte for byte', async () => {
  for (const file of ['a,b\r\n1,"2\n"\r\n\r\n', 'ip', '', '\uFEFFa\n', '"', 'x'.repeat(700_000), '\n\n']) {
    const passed = await filter('csv', file, 50_000);
    expect(passed.replace(/\n$/, '')).toBe(file.replace(/\n$/, ''));
  }
});
