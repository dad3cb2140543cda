import { expect, test } from 'vitest';
import { readUploadText, type UploadedAs } from '../../../src/transfers/files/read-upload-text.ts';

const unknown: UploadedAs = { kind: undefined, charset: undefined, format: 'auto', mapping: null };

/** The stored form of a file that arrives in parts of `partBytes`. */
async function read(content: string | Buffer, given: Partial<UploadedAs> = {}, partBytes = 7) {
  async function* source() {
    const bytes = Buffer.from(content);
    for (let at = 0; at < bytes.length; at += partBytes) yield bytes.subarray(at, at + partBytes);
  }
  const found = await readUploadText(source(), { ...unknown, ...given });
  const parts: Buffer[] = [];
  for await (const part of found.content) parts.push(part);
  return { ...found, charset: found.charset(), text: Buffer.concat(parts).toString() };
}

const head = 'short_code,original_url,title\n';

test.each([
  ['utf-8', Buffer.from(`${head}a,b,Größe 😀\n`)],
  ['utf-8', Buffer.from(`\uFEFF${head}a,b,Größe 😀\n`)],
  ['utf-16le', Buffer.from(`\uFEFF${head}a,b,Größe 😀\n`, 'utf16le')],
  ['utf-16be', Buffer.from(`\uFEFF${head}a,b,Größe 😀\n`, 'utf16le').swap16()],
  ['utf-16le', Buffer.from(`${head}a,b,Größe 😀\n`, 'utf16le')],
  ['utf-16be', Buffer.from(`${head}a,b,Größe 😀\n`, 'utf16le').swap16()],
])('a file in %s is read, with a byte order mark or without', async (charset, content) => {
  for (const partBytes of [1, 3, 100_000]) {
    const text = `${head}a,b,Größe 😀\n`;
    expect(await read(content, {}, partBytes)).toMatchObject({ charset, encoding: 'csv', text });
  }
});

test('Windows-1252 is detected by its first non-ASCII letters anywhere in the file', async () => {
  const rows = `a,https://example.com/,x\n`.repeat(10_000);
  const content = Buffer.concat([
    Buffer.from(head + rows),
    Buffer.from('a,b,Caf\xE9 \x80 \x93x\x94\n', 'latin1'),
  ]);
  const { charset, text } = await read(content, {}, 60_000);
  expect(charset).toBe('windows-1252');
  expect(text.slice(-14)).toEqual('a,b,Café € “x”\n'.slice(-14));
});

test('UTF-8 with a few damaged bytes is detected as UTF-8', async () => {
  const content = Buffer.concat([Buffer.from(`${head}a,b,Größe Ärger\n`), Buffer.from([0xff, 0x0a])]);
  expect((await read(content)).charset).toBe('utf-8');
});

test.each([
  ['Shift_JIS', '83638367838B83608368838483628369837C8371'],
  ['Windows-1251', 'CFF0E8E2E5F220CCE8F020CFF0E8E2E5F2'],
  ['ISO 8859-2', '7AB36F746F20B6776965B3207AB36F746F206DB36F6479'],
])('text in %s is rejected unless the request names the encoding', async (label, hex) => {
  const content = Buffer.concat([Buffer.from(`${head}a,b,`), Buffer.from(hex, 'hex'), Buffer.from('\n')]);
  await expect(read(content)).rejects.toThrow('not in UTF-8, UTF-16 or Windows-1252');
  const charset = label.replace('ISO ', 'ISO-').toLowerCase();
  const named = await read(content, { charset });
  expect(named.text).toBe(head + `a,b,${new TextDecoder(charset).decode(Buffer.from(hex, 'hex'))}\n`);
  await expect(read(content, { charset: 'klingon' })).rejects.toThrow('Unknown character set "klingon".');
});

test.each([
  [',', 'short_code,original_url,title\na,b,c\n'],
  [';', 'short_code;original_url;title\na;b;"c;d"\n'],
  ['\t', 'short_code\toriginal_url\ttitle\na\tb\tc\n'],
  ['|', '"short_code"|"original_url"|"tags"\na|b|"c,d"\n'],
  [';', 'sep=;\nshort_code;original_url\na;b\n'],
  ['^', '"sep=^"\nshort_code^original_url\na^b\n'],
  [';', 'unknown;names;all, of them\n1;2;3\n'],
])('cells are separated by %j if the first row names it', async (delimiter, content) => {
  const text = content.replace(/^"?sep=."?/, '');
  expect(await read(content)).toMatchObject({ delimiter, text });
});

test('lines may end with carriage returns only', async () => {
  for (const partBytes of [1, 4, 1_000]) {
    expect((await read(`"a\rb",c\rd,"e\rf"\r`, {}, partBytes)).text).toBe('"a\nb",c\nd,"e\nf"\n');
    expect((await read('a,b\r\nc,"d\re"\r\n', {}, partBytes)).text).toBe('a,b\r\nc,"d\re"\r\n');
    expect((await read('a,b\rc,d\r\ne,f\r', {}, partBytes)).text).toBe('a,b\nc,d\r\ne,f\n');
  }
});

test.each([
  ['[{"a":1},\n{"b":[{"c":"}"}]}]', ['{"a":1}', '{"b":[{"c":"}"}]}']],
  ['{"links":{"link_1":{"a":1},"link_2":{"b":2}},"stats":{"c":3}}', ['{"a":1}', '{"b":2}']],
  ['{"shortUrls":{"data":[{"a":{"b":1}}],"pagination":{"c":1}}}', ['{"a":{"b":1}}']],
  ['{"version":"1","links":[{"a":"\\"]}"}]}', ['{"a":"\\"]}"}']],
  ['{\n"a":1\n}\n{\n"b":2\n}\n', ['{ "a":1 }', '{ "b":2 }']],
  ['{"links":[{"a":1}]}\n{"links":[{"b":2}]}\n', ['{"a":1}', '{"b":2}']],
  ['{"a":1,"tags":[{"name":"t"}]}\n{"b":2}\n', ['{"a":1,"tags":[{"name":"t"}]}', '{"b":2}']],
  ['{"links":[{"a":1},{"b":', ['{"a":1}', '{"b":', 'The JSON document is damaged or ends here.']],
  ['[{"a":1},{"b":2]},{"c":3}]', ['{"a":1}', '{"b":2]', 'The JSON document is damaged or ends here.']],
])('each short URL of the JSON %j becomes one line', async (content, expected) => {
  for (const partBytes of [1, 5, 1_000]) {
    const { encoding, text } = await read(content, {}, partBytes);
    expect(encoding).toBe('ndjson');
    expect(text.trimEnd().split('\n')).toEqual(expected);
  }
});

test.each([
  ['{"links":[]}', 'The JSON document does not contain a list of short URLs.'],
  ['[1,2]', 'The JSON document does not contain a list of short URLs.'],
  [
    '-- dump\nINSERT INTO `posts` VALUES (1);',
    'The SQL dump does not contain an INSERT into a known table of short URLs.',
  ],
  ['<!DOCTYPE html><html>', 'The file is a web page (HTML), perhaps an error page or a login form.'],
  ['PK\x03\x04', 'The file must be a text file, but is an Excel workbook (.xlsx)'],
  ['\x1f\x8b\x08', 'compressed with gzip'],
  ['SQLite format 3\0', 'an SQLite database'],
  ['\xff\xfe\0\0a\0\0\0', 'UTF-32'],
])('a file that begins with %j is rejected with the name of its format', async (content, message) => {
  await expect(read(Buffer.from(content, 'latin1'))).rejects.toThrow(message);
});

test('a dump may be split anywhere, and a truncated row is reported', async () => {
  const content =
    "INSERT INTO `y_url` (`keyword`, `url`, `timestamp`) VALUES ('a''b','x\\\\','1'),\n('c','d(,;','2'),('e','f";
  for (let partBytes = 1; partBytes < 12; partBytes++) {
    const { text } = await read(content, { kind: 'sql' }, partBytes);
    expect(text.split('\n')).toEqual([
      JSON.stringify({ keyword: "a'b", url: 'x\\', timestamp: '1' }),
      JSON.stringify({ keyword: 'c', url: 'd(,;', timestamp: '2' }),
      'The dump is damaged or ends in the middle of a row.',
      '',
    ]);
  }
});
