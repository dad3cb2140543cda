import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { redactAddresses } from '../../../src/transfers/imports/redact-addresses.ts';
import type { Encoding } from '../../../src/transfers/transfer.ts';

/** The file without addresses, read in parts of `partBytes`. */
async function filter(encoding: Encoding, file: string, partBytes: number): Promise<string> {
  async function* source() {
    const bytes = Buffer.from(file);
    for (let at = 0; at < bytes.length; at += partBytes) yield bytes.subarray(at, at + partBytes);
  }
  const parts: Buffer[] = [];
  for await (const part of redactAddresses(encoding, source())) parts.push(part);
  return Buffer.concat(parts).toString();
}

test('an address column is emptied except for its name, for any split of the file', async () => {
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

test('unreadable and overlong rows of a file with addresses are redacted', async () => {
  const file = `keyword,url,ip\n"a"b,https://example.com/,203.0.113.1\n${'x'.repeat(600_000)}203.0.113.2\nlast,https://example.com/,203.0.113.3\n`;
  const filtered = await filter('csv', file, 100_000);
  expect(filtered).not.toContain('203.0.113.');
  expect(filtered).toMatch(
    /^keyword,url,ip\n.*may contain an address.*\n.*\nlast,https:\/\/example\.com\/,\n$/,
  );
});

test('a row with a wrong number of cells is redacted and keeps its number of cells', async () => {
  const file = 'keyword,url,title,ip\nk,https://example.com/,A, B,203.0.113.1\n203.0.113.2\n';
  expect(await filter('csv', file, 1_000)).toMatch(
    /^keyword,url,title,ip\n"redacted.*",,,,\n"redacted.*address"\n$/,
  );
});

test('an address column is found after a byte order mark, in any spelling, and twice', async () => {
  const rows = 'k,203.0.113.1,https://example.com/,203.0.113.2\n';
  for (const [head, filtered] of [
    ['\uFEFF"ip","url","x","IP"', 'ip,url,x,IP'],
    ['\n\r\nkeyword,"I P",url,ip', 'keyword,I P,url,ip'],
  ] as const) {
    const expected = `${filtered}\n${head.includes('keyword') ? 'k' : ''},,https://example.com/,\n`;
    const given = head.includes('keyword') ? rows : rows.replace('k,203.0.113.1', '203.0.113.1,');
    expect(await filter('csv', `${head}\n${given}`, 5)).toBe(expected);
  }
});

test('addresses in JSON objects are removed in any spelling', async () => {
  const line = (more: object) =>
    `${JSON.stringify({ keyword: 'k', url: 'https://example.com/', ...more })}\n`;
  const address = '2001:db8::1';
  const lines = [{}, { ip: address }, { IP: address }, { 'I.P': address }, { meta: { ip: [address] } }].map(
    line,
  );
  const filtered = await filter(
    'ndjson',
    `\uFEFF${lines.join('')}{"\\u0069p":"${address}"}\n{"ip":"${address}"\n`,
    10,
  );
  expect(filtered).toBe(
    `${line({}).repeat(4)}${line({ meta: {} })}{}\n"redacted: unreadable, may contain an address"\n`,
  );
});

test('a file without an address column is unchanged', async () => {
  for (const file of ['a,b\r\n1,"2\n"\r\n\r\n', 'ip', '', '\uFEFFa\n', `a\n${'x'.repeat(700_000)}`, '\n\n']) {
    const passed = await filter('csv', file, 50_000);
    expect(passed.replace(/\n$/, '')).toBe(file.replace(/\n$/, ''));
  }
});

test('a file with an unreadable header is rejected', async () => {
  for (const file of ['"', '"keyword"x,ip\n', 'x'.repeat(700_000), '\n'.repeat(700_000)])
    await expect(filter('csv', file, 50_000)).rejects.toThrow('The first row of the file is unreadable.');
});

test.each([
  ['csv', 'keyword,url,ip\n', '"a"b\n'],
  ['ndjson', '', '{\n'],
] as const)('a file in %s with more than 1,000 unreadable rows is rejected', async (encoding, head, bad) => {
  await expect(filter(encoding, head + bad.repeat(1_001), 50_000)).rejects.toThrow('More than 1000 rows');
  const filtered = await filter(encoding, head + bad.repeat(1_000), 50_000);
  expect(filtered.match(/redacted/g)).toHaveLength(1_000);
});

test('cells that need quotes keep their content', async () => {
  const cells = ['a;b', 'a,b', 'say "hi"', 'two\nlines', 'one\rline', ' spaced ', '', 'é'];
  const file = stringify([['keyword', 'ip'], ...cells.map((cell) => [cell, '203.0.113.1'])], {
    quoted: true,
  });
  const rows: string[][] = parse(await filter('csv', file, 7), { record_delimiter: ['\n'] });
  expect(rows).toEqual([['keyword', 'ip'], ...cells.map((cell) => [cell, ''])]);
});

test('other work runs while a large chunk of a file is redacted', async () => {
  let turns = 0;
  let isOver = false;
  const takeTurn = () => {
    turns += 1;
    if (!isOver) setImmediate(takeTurn);
  };
  setImmediate(takeTurn);
  await filter('csv', `keyword,url,ip\n${'k,https://example.com/,203.0.113.1\n'.repeat(200_000)}`, 1_000_000);
  isOver = true;
  expect(turns).toBeGreaterThan(20);
});
