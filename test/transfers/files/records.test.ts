import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type ImportRecord, maxRecordBytes, type Position } from '../../../src/transfers/files/record.ts';
import { createImportFile } from '../../../src/transfers/imports/file.ts';
import type { Encoding } from '../../../src/transfers/transfer.ts';

const start: Position = { bytes: 0, lines: 0 };

const open = (encoding: Encoding, content: Buffer) =>
  createImportFile(encoding, content.length, async (from, length) => content.subarray(from, from + length));

async function readAll(encoding: Encoding, content: string | Buffer, from = start): Promise<ImportRecord[]> {
  const bytes = Buffer.from(content);
  const file = open(encoding, bytes);
  const records: ImportRecord[] = [];
  for (let at = from; ;) {
    const found = await file.readNext(at);
    if (!found) return records;
    records.push(...found.records);
    expect(found.end.bytes).toBeGreaterThan(at.bytes);
    at = found.end;
  }
}

/** The line numbers and contents of the records, abbreviated. */
const shown = (records: ImportRecord[]) =>
  records.map(({ line, content }) => [
    line,
    ...('cells' in content ? content.cells : Object.values(content)),
  ]);

test('quoted cells may contain line ends, commas and quotes; lines count as in an editor', async () => {
  const text = 'a,b\r\n1,"x\r\ny"\r\n\r\n"print ""hi"", now",é\r\n3,';
  expect(shown(await readAll('csv', text))).toEqual([
    [1, 'a', 'b'],
    [2, '1', 'x\r\ny'],
    [5, 'print "hi", now', 'é'],
    [6, '3', ''],
  ]);
});

test('a byte order mark is skipped', async () => {
  expect(shown(await readAll('csv', '\uFEFFa,b\n1,2\n'))).toEqual([
    [1, 'a', 'b'],
    [2, '1', '2'],
  ]);
  expect(shown(await readAll('ndjson', '\uFEFF{"a":1}\n'))).toEqual([[1, { a: 1 }]]);
});

test('an empty file, or one with only empty lines, has no records', async () => {
  expect(await readAll('csv', '')).toEqual([]);
  expect(await readAll('csv', '\n\r\n\n')).toEqual([]);
  expect(await readAll('ndjson', '\n'.repeat(600_000))).toEqual([]);
});

test('an invalid CSV row is one unreadable line, and its neighbours are read', async () => {
  const text = 'a\nb"c,"\n"d"e\nf\n"g\nh\n';
  expect(shown(await readAll('csv', text))).toEqual([
    [1, 'a'],
    [2, 'has a quotation mark inside an unquoted cell', 'b"c,"'],
    [3, 'has text after a closing quotation mark', '"d"e'],
    [4, 'f'],
    [5, 'has a quotation mark that is not closed', '"g'],
    [6, 'h'],
  ]);
});

test('a quotation mark inside an unquoted cell is part of the cell', async () => {
  const text = 'a,b\n7" tablet,x\n"y",8" wide, "or" so\n1,2\n';
  expect(shown(await readAll('csv', text))).toEqual([
    [1, 'a', 'b'],
    [2, '7" tablet', 'x'],
    [3, 'y', '8" wide', ' "or" so'],
    [4, '1', '2'],
  ]);
});

test('invalid JSON is unreadable, and damaged UTF-8 is read with replacement characters', async () => {
  expect(shown(await readAll('ndjson', '1\n{"a":\n2\r\n'))).toEqual([
    [1, 1],
    [2, 'is not JSON', '{"a":'],
    [3, 2],
  ]);
  const latin = Buffer.from('a,b\nü,1\nc,d\n', 'latin1');
  expect(shown(await readAll('csv', latin))).toEqual([
    [1, 'a', 'b'],
    [2, '\uFFFD', '1'],
    [3, 'c', 'd'],
  ]);
});

test.each(['csv', 'ndjson'] as const)('a line of 10 MB in %s is too long', async (encoding) => {
  const records = await readAll(encoding, `1\n"${'x'.repeat(10_000_000)}"\n2\n`);
  expect(records.map(({ line }) => line)).toEqual([1, 2, 3]);
  expect(records[1]!.content).toMatchObject({ problem: `must not be longer than ${maxRecordBytes} bytes` });
  expect(records[2]!.content).not.toHaveProperty('problem');
});

test('an unclosed quotation mark makes only its own line unreadable', async () => {
  const rows = Array.from({ length: 30_000 }, (_, i) => `row ${i},https://example.com/${i}\n`);
  const records = await readAll('csv', `"open\n${rows.join('')}`);
  expect(records).toHaveLength(30_001);
  expect(records.filter(({ content }) => 'problem' in content)).toHaveLength(1);
  expect(records.at(-1)).toMatchObject({
    line: 30_001,
    content: { cells: ['row 29999', 'https://example.com/29999'] },
  });
});

test('reading from the end of any record returns the following records', async () => {
  const cell = fc.oneof(fc.string({ unit: 'binary', maxLength: 20 }), fc.constant('x'.repeat(20_000)));
  const rows = fc.array(fc.tuple(fc.string({ minLength: 1 }), cell), { minLength: 1, maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(rows, fc.constantFrom('\n', '\r\n'), fc.nat(), async (wanted, lineEnd, n) => {
      const text = stringify(wanted, { record_delimiter: lineEnd, quoted: true });
      const records = await readAll('csv', text);
      expect(records.map(({ content }) => content)).toEqual(wanted.map((cells) => ({ cells: [...cells] })));
      const place = n % records.length;
      expect(await readAll('csv', text, records[place]!.end)).toEqual(records.slice(place + 1));
    }),
    { numRuns: 100 },
  );
});

test('cells and positions are those of a complete CSV parser', async () => {
  const cell = fc.oneof(
    fc.constantFrom(
      '',
      'a',
      ' b ',
      '"q"',
      '"x,y"',
      '"say ""hi"""',
      '"two\nlines"',
      '"\r\n"',
      '""',
      'é',
      '\r',
    ),
    fc.stringMatching(/^[ab",\r\n\0é]{0,4}$/),
  );
  const end = fc.constantFrom('\n', '\r\n', '\n\n', '\n\r\n', '');
  const file = fc.array(fc.tuple(fc.array(cell, { minLength: 1, maxLength: 4 }), end), { maxLength: 8 });
  let compared = 0;
  await fc.assert(
    fc.asyncProperty(file, async (lines) => {
      const text = lines.map(([cells, lineEnd]) => cells.join(',') + lineEnd).join('');
      const expected = parseCompletely(text);
      if (!expected) return;
      compared += 1;
      const records = await readAll('csv', text);
      expect(records.map(({ content, end: { bytes } }) => ({ content, bytes }))).toEqual(expected);
    }),
    { numRuns: 3_000 },
  );
  expect(compared).toBeGreaterThan(500);
});

/** The records of csv-parse with the bytes before their ends; undefined when the file is malformed. */
function parseCompletely(text: string) {
  const records: { content: { cells: string[] }; bytes: number }[] = [];
  try {
    parse(text, {
      record_delimiter: ['\r\n', '\n'],
      relax_column_count: true,
      skip_empty_lines: true,
      on_record: (cells: string[], { bytes }) => void records.push({ content: { cells }, bytes }),
    });
    return records;
  } catch {
    return undefined;
  }
}
