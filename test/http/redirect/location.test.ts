import { request } from 'node:http';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseUrl } from '../../../src/validation/parse-url.ts';
import { useWeb } from '../../support/http/web-app.ts';

const web = useWeb();

/** The raw `Location` of a redirect; undefined unless there is exactly one. */
async function readLocation(path: string): Promise<string | undefined> {
  const rawHeaders = await new Promise<string[]>((resolve, reject) => {
    const get = request(`${web.baseUrl()}${path}`, { agent: false }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.rawHeaders));
    });
    get.on('error', reject);
    get.end();
  });
  const values = rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]!.toLowerCase() === 'location');
  return values.length === 1 ? values[0] : undefined;
}

async function readStored(shortCode: string): Promise<string> {
  const row = await web.database.db()('urls').where({ short_code: shortCode }).first('original_url');
  return row.original_url;
}

const forgetCached = async (shortCode: string) =>
  await web.redis.redis().del(`${web.redis.prefix}:url:${shortCode}`);

const hostile = fc.constantFrom(
  '%',
  '%0d%0aX: y',
  '%00',
  '%2f..%2f',
  '/../',
  '//',
  '\\',
  '?',
  '#',
  '##',
  '&amp;',
  '"',
  "'",
  '<script>',
  '`',
  '{}',
  '|',
  '^',
  ' ',
  ',',
  ';',
  ':',
  ':410',
  '404',
  '1,2,3',
  '@',
  '[]',
  '$(x)',
  'ü',
  'é',
  '中文',
  '🙈',
  '\u{202e}',
  '\u{feff}',
  '\u{d800}',
  '\u{a0}',
  'a'.repeat(300),
);
const part = fc.array(fc.oneof(hostile, fc.string({ unit: 'grapheme', maxLength: 6 })), { maxLength: 5 });
const host = fc.oneof(
  fc.domain(),
  fc.constantFrom(
    'bücher.test',
    'EXAMPLE.com',
    'example.com:8080',
    'ex%61mple.com',
    '8.8.8.8',
    '0x08080808',
    '[2606:4700::1]',
  ),
);
const url = fc
  .tuple(fc.constantFrom('http', 'https', 'HTTPS'), host, part, part, part)
  .map(([scheme, host, path, query, fragment]) =>
    `${scheme}://${host}/${path.join('')}?${query.join('')}#${fragment.join('')}`.trimEnd(),
  );

test('the response, the row and Location have the same bytes of the URL', async () => {
  let created = 0;
  await fc.assert(
    fc.asyncProperty(url, async (given) => {
      const answer = await web.client().post('/api/v1/urls', { original_url: given });
      expect([201, 422], given).toContain(answer.status);
      if (answer.status === 422) return;
      created += 1;
      const shortCode = String(answer.body['short_code']);
      const originalUrl = answer.body['original_url'];
      expect(originalUrl).toBe(parseUrl(given)?.href);
      expect(await readStored(shortCode)).toBe(originalUrl);
      expect(await readLocation(`/${shortCode}`)).toBe(originalUrl);
      await forgetCached(shortCode);
      expect(await readLocation(`/${shortCode}`)).toBe(originalUrl);
      expect(await readLocation(`/${shortCode}`)).toBe(originalUrl);
    }),
    { numRuns: 120 },
  );
  expect(created).toBeGreaterThan(50);
});

test('a visitor cannot extend the stored Location', async () => {
  const answer = await web.client().post('/api/v1/urls', { original_url: 'https://example.com/a?b#c' });
  const code = String(answer.body['short_code']);
  for (const more of ['', '?x=1', '?', '?%0d%0aLocation:%20http://evil.example'])
    expect(await readLocation(`/${code}${more}`)).toBe('https://example.com/a?b#c');
});
