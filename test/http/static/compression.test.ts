import { beforeAll, expect, test } from 'vitest';
import { useWeb } from '../../support/http/web-app.ts';

const web = useWeb();

beforeAll(async () => {
  const urls = Array.from({ length: 50 }, (_, i) => ({ original_url: `https://example.com/page/${i}` }));
  await web.client().post('/api/v1/urls/bulk', { urls });
});

/** The encoding of an answer and its length on the wire. */
async function readEncoding(path: string, encodings: string, headers: Record<string, string> = {}) {
  const response = await fetch(`${web.baseUrl()}${path}`, {
    redirect: 'manual',
    headers: { 'x-api-key': web.apiKey(), 'accept-encoding': encodings, ...headers },
  });
  const text = await response.text();
  return {
    text,
    encoding: response.headers.get('content-encoding'),
    length: Number(response.headers.get('content-length')),
    vary: response.headers.get('vary') ?? '',
  };
}

test('a list is compressed as the client accepts, and contains the same', async () => {
  const list = '/api/v1/urls?limit=50';
  const plain = await readEncoding(list, 'identity');
  const br = await readEncoding(list, 'br, gzip');
  const gzip = await readEncoding(list, 'gzip');
  expect([plain.encoding, br.encoding, gzip.encoding]).toEqual([null, 'br', 'gzip']);
  expect(JSON.parse(br.text)).toEqual(JSON.parse(plain.text));
  expect(JSON.parse(gzip.text)).toEqual(JSON.parse(plain.text));
  expect(br.length).toBeLessThan(plain.length / 5);
  expect(plain.vary).toContain('Accept-Encoding');
});

test('the OpenAPI document and the files of Swagger UI are compressed', async () => {
  for (const path of ['/openapi.json', '/docs/swagger-ui-bundle.js', '/docs/swagger-ui.css']) {
    const { encoding, length, text } = await readEncoding(path, 'br');
    expect(encoding).toBe('br');
    expect(length).toBeLessThan(text.length / 3);
  }
});

test('short answers, answers with an entity tag and redirects are not compressed', async () => {
  const { body } = await web
    .client()
    .post('/api/v1/urls', { original_url: 'https://example.com/long', notes: 'long '.repeat(400) });
  const code = String(body['short_code']);
  for (const path of ['/api/v1/api-keys/current', `/api/v1/urls/${code}`, `/${code}`]) {
    const { encoding } = await readEncoding(path, 'br, gzip');
    expect(encoding).toBeNull();
  }
});
