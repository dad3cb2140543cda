import { expect, test } from 'vitest';
import { titleOf } from '../../../src/urls/titles/page-title.ts';

const read = (html: string | Buffer, contentType = 'text/html') =>
  titleOf({ bytes: Buffer.from(html), contentType });

test.each([
  ['<title>Plain</title>', 'Plain'],
  ['<TITLE lang="en">\n  Two\n\tlines </TITLE >', 'Two lines'],
  ['<head><title>First</title><title>Second</title>', 'First'],
  ['<!-- <title>Comment</title> --><title>After a comment</title>', 'After a comment'],
  ['<script>"<title>Script</title>"</script><title>After a script</title>', 'After a script'],
  ['<style>/*<title>*/</style><svg><title>Icon</title></svg><title>Page</title>', 'Page'],
  [
    '<title>Tom &amp; Jerry &#8211; &#x2603; &eacute;&Uuml;&szlig; &unknown; &amp;lt;</title>',
    'Tom & Jerry – ☃ éÜß &unknown; &lt;',
  ],
  ['<title>a\u0000b\u202ec\u0085d</title>', 'a b c d'],
  ['<title>&#0;&#xD800;&#x110000;x</title>', '\ufffd \ufffdx'],
  ['<title>Never closed', 'Never closed'],
  ['<titles>x</titles><title>Exact name</title>', 'Exact name'],
])('the title of %s is found and cleaned', (html, title) => {
  expect(read(html)).toBe(title);
});

test.each([
  '',
  'text',
  '<title></title>',
  '<title> \n </title>',
  '<title',
  '<!-- <title>x</title>',
  '<body><title>x</title>',
])('the page %j has no title', (html) => {
  expect(read(html)).toBeUndefined();
});

test('a long title is shortened to 200 characters', () => {
  const title = read(`<title>${'🙂'.repeat(300)}</title>`)!;
  expect([Array.from(title).length, title.endsWith('🙂…')]).toEqual([200, true]);
  expect(read(`<title>${'x'.repeat(200)}</title>`)).toBe('x'.repeat(200));
});

test.each([
  ['the header', 'text/html; charset=windows-1252', Buffer.from('<title>Caf\xe9</title>', 'latin1')],
  ['the page', 'text/html', Buffer.from('<meta charset="iso-8859-1"><title>Caf\xe9</title>', 'latin1')],
  ['a byte order mark', 'text/html', Buffer.from('\ufeff<title>Café</title>', 'utf16le')],
  ['nothing', 'text/html', Buffer.from('<title>Café</title>')],
  ['an unknown name', 'text/html; charset=x-none', Buffer.from('<title>Café</title>')],
])('the encoding comes from %s', (_, contentType, bytes) => {
  expect(read(bytes, contentType)).toBe('Café');
});

test('hostile pages of the full size are read in linear time', () => {
  const size = 256 * 1_024;
  for (const part of ['<!--', '<script>', '<title', '<svg>', '&', '<title>&#', '</title', '<meta charset ']) {
    const from = performance.now();
    read(part.repeat(size / part.length));
    expect([part, performance.now() - from < 2_000]).toEqual([part, true]);
  }
});
