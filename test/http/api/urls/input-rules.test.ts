import { beforeAll, describe, expect, test } from 'vitest';
import { useWeb } from '../../../support/http/web-app.ts';
import { createUrl } from '../../../support/urls/urls.ts';

const web = useWeb({
  CUSTOM_CODE_CHARACTERS: 'unicode',
  CUSTOM_CODE_MIN_LENGTH: '1',
  CUSTOM_CODE_MAX_LENGTH: '64',
  MAX_URL_LENGTH: '8192',
  ALLOWED_SCHEMES: 'mailto, tel:,magnet://',
  RATE_LIMIT_NOT_FOUND_PER_IP: '20',
  METRICS_PUBLIC: 'true',
});
const page = 'https://example.com/pasted';
beforeAll(async () => {
  await createUrl(web.client(), { custom_code: 'enc_o-ded', original_url: page });
});

const visit = async (path: string) => {
  const { status, headers } = await web.client(null).get(path);
  return `${status} ${headers.get('location') ?? ''}`.trim();
};

describe('a short code in another spelling', () => {
  test.each([
    'enc%5Fo-ded',
    '%65nc_o%2Dded',
    'enc_o-ded.',
    'enc_o-ded)',
    'enc_o-ded%22',
    'enc_o-ded%E2%80%8B,',
  ])('%s redirects, has a preview and is found by the API', async (path) => {
    for (let i = 0; i < 2; i += 1) expect(await visit(`/${path}`)).toBe(`301 ${page}`);
    expect((await web.client(null).head(`/${path}`)).status).toBe(301);
    for (const preview of [`/${path}+`, '/enc_o-ded+.', '/enc_o-ded%2B']) {
      const answer = await web.client(null).get(preview, { accept: 'application/json' });
      expect(answer.status).toBe(200);
      expect(answer.body['short_code']).toBe('enc_o-ded');
    }
    expect((await web.client().get(`/api/v1/urls/${path}`)).body['short_code']).toBe('enc_o-ded');
  });

  test('that does not exist counts once as unknown and is looked up once', async () => {
    const paths = ['no_pe.', 'no%5Fpe', 'no_pe%E2%80%8B', 'no_pe+'];
    for (let i = 0; i < 5; i += 1) {
      for (const path of paths) expect(await visit(`/${path}`)).toBe('404');
    }
    expect(await visit('/no%5Fpe')).toBe('429');
    expect(await visit('/enc%5Fo-ded')).toBe(`301 ${page}`);
  });
});

describe('a custom code with dots or letters of any script', () => {
  test.each([
    ['a', 'a'],
    ['v1.2.3', 'v1.2.3'],
    ['straße', 'stra%C3%9Fe'],
    ['u\u0308ber', '%C3%BCber'],
    ['日本語', '%E6%97%A5%E6%9C%AC%E8%AA%9E'],
    ['x'.repeat(64), 'x'.repeat(64)],
  ])('"%s" can be created, visited as /%s, updated and deleted', async (custom_code, path) => {
    const original_url = `${page}/${path.length}`;
    const created = await web.client().post('/api/v1/urls', { original_url, custom_code });
    expect(created.status).toBe(201);
    expect(created.body['short_code']).toBe(custom_code.normalize('NFC'));
    expect(String(created.body['short_url'])).toMatch(new RegExp(`/${path.replaceAll('.', '\\.')}$`));
    expect(created.headers.get('location')).toMatch(/^[!-~]+$/);
    for (let i = 0; i < 3; i += 1) expect(await visit(`/${path}`)).toBe(`301 ${original_url}`);
    const again = await web
      .client()
      .post('/api/v1/urls', { original_url, custom_code: custom_code.normalize('NFD') });
    expect(again.status).toBe(409);
    const changed = await web.client().patch(`/api/v1/urls/${path}`, { original_url: `${page}/changed` });
    expect(changed.status).toBe(200);
    expect(await visit(`/${path}`)).toBe(`301 ${page}/changed`);
    expect((await web.client().delete(`/api/v1/urls/${path}`)).status).toBe(204);
    expect(await visit(`/${path}`)).toMatch(/^4(04|29)$/);
  });

  test.each(['robots.txt', 'a..b', '.a', 'pаypal', 'ａｂｃ', 'x'.repeat(65), 'a\u200bb', 'a+', 'a/b'])(
    '%j is rejected',
    async (custom_code) => {
      const answer = await web.client().post('/api/v1/urls', { original_url: page, custom_code });
      expect(answer.status).toBe(422);
    },
  );

  test('a path of the service is not overridden', async () => {
    expect((await fetch(`${web.baseUrl()}/robots.txt`)).headers.get('content-type')).toContain('text/plain');
    expect((await web.client(null).get('/openapi.json')).body['openapi']).toBeDefined();
  });
});

describe('an original URL that a setting allows', () => {
  test.each(['mailto:a@example.com?subject=%C3%BC', 'tel:+49301', 'magnet:?xt=urn:btih:c12fe'])(
    '%s redirects, has a preview and is a fallback',
    async (original_url) => {
      const code = await createUrl(web.client(), { original_url, fallback_url: original_url });
      for (let i = 0; i < 2; i += 1) expect(await visit(`/${code}`)).toBe(`301 ${original_url}`);
      const preview = await web.client(null).get(`/${code}+`, { accept: 'application/json' });
      expect(preview.body).toMatchObject({ original_url, host: null });
      const shown = await fetch(`${web.baseUrl()}/${code}+`, { headers: { accept: 'text/html' } });
      expect(await shown.text()).not.toContain('Site');
      expect((await web.client().get('/api/v1/urls?limit=5')).status).toBe(200);
    },
  );

  test('of 8,192 characters redirects, is found again and is listed', async () => {
    const original_url = `https://example.com/${'a'.repeat(8_172)}`;
    const code = await createUrl(web.client(), { original_url });
    for (let i = 0; i < 2; i += 1) expect(await visit(`/${code}`)).toBe(`301 ${original_url}`);
    const found = await web.client().post('/api/v1/urls', { original_url, find_if_exists: true });
    expect(found.status).toBe(200);
    expect(found.body['short_code']).toBe(code);
    const answer = await web.client().post('/api/v1/urls', { original_url: `${original_url}a` });
    expect(answer.body['errors']).toEqual([
      { field: 'original_url', detail: 'must have at most 8192 characters' },
    ]);
  });

  test('with another scheme is rejected with the allowed ones', async () => {
    const answer = await web.client().post('/api/v1/urls', { original_url: 'sms:1' });
    expect(answer.body['errors']).toEqual([
      { field: 'original_url', detail: 'must begin with http://, https://, mailto:, tel: or magnet:' },
    ]);
  });
});

test('the interstitial page allows redirects to the configured schemes', async () => {
  await createUrl(web.client(), {
    custom_code: 'mail',
    original_url: 'mailto:a@example.com',
    password: 'secret-word',
  });
  const { headers } = await web.client(null).get('/mail', { accept: 'text/html' });
  expect(headers.get('content-security-policy')).toContain(
    '; form-action http: https: mailto: tel: magnet:; ',
  );
});
