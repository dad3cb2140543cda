import { expect, test } from 'vitest';
import { type RequestOptions, submit, visit } from '../../support/clicks/visitor.ts';
import { useWeb } from '../../support/http/web-app.ts';
import { insertRestrictedUrl } from '../../support/urls/restricted-urls.ts';

const web = useWeb();
const at = (path: string) => `${web.baseUrl()}/${path}`;
const insert = async (url: Parameters<typeof insertRestrictedUrl>[1]) =>
  at(await insertRestrictedUrl(web.database.db(), url));
const hour = 3_600_000;

test('a browser gets a page for an unknown or expired short URL, others problem+json', async () => {
  const expired = await insert({ expiresAt: new Date(Date.now() - hour) });
  for (const [url, status, title] of [
    [at('unknown8'), 404, 'Link not found'],
    [expired, 410, 'This link has expired'],
  ] as const) {
    const page = await visit(url);
    expect(page.status).toBe(status);
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(page.text).toContain(`<h1>${title}</h1>`);
    for (const accept of ['*/*', 'application/json', 'application/json, text/html;q=0.5']) {
      const problem = await visit(url, { headers: { accept } });
      expect(problem.status).toBe(status);
      expect(problem.headers.get('content-type')).toBe('application/problem+json');
    }
  }
});

test('a browser gets pages for mistyped short URLs, but not for the API or operators', async () => {
  for (const path of ['unknown8/', 'two/parts', 'unknown8/%20?q', 'apiary/v1/urls']) {
    const page = await visit(at(path));
    expect(page.status).toBe(404);
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
  }
  for (const path of ['api/v1/nothing', 'admin/queues/nothing', 'docs/nothing']) {
    const problem = await visit(at(path));
    expect(problem.headers.get('content-type')).toBe('application/problem+json');
  }
});

test('unknown, deleted, disabled and not yet started codes get the same page, except for the code', async () => {
  const deleted = await insert({});
  await web.client().delete(`/api/v1/urls/${new URL(deleted).pathname.slice(1)}`);
  const urls = [
    // As long as the other codes.
    at('unknown-77'),
    deleted,
    await insert({ isActive: false }),
    await insert({ startsAt: new Date(Date.now() + hour) }),
    await insert({ startsAt: new Date(Date.now() + hour), password: 'secret' }),
  ];
  const look = async (url: string, init?: RequestOptions) => {
    const { status, headers, text } = await visit(url, init);
    const code = new URL(url).pathname.slice(1);
    return {
      status,
      headers: [...headers].filter(([name]) => name !== 'date'),
      text: text.replaceAll(code, '{code}'),
    };
  };
  for (const init of [{}, { headers: { accept: '*/*' } }, { method: 'HEAD' }, { method: 'POST' }]) {
    const answers = await Promise.all(urls.map((url) => look(url, init)));
    expect(answers[0]!.status).toBe(404);
    for (const answer of answers) expect(answer).toEqual(answers[0]);
  }
});

test('every page forbids scripts, frames, caching, indexing and cross-site referrers, and is small', async () => {
  const gated = await insert({ password: 'secret' });
  const pages = [
    await visit(at('unknown6')),
    await visit(gated),
    await submit(gated, { password: 'wrong' }),
    await visit(`${gated}+`),
  ];
  expect(pages.map(({ status }) => status)).toEqual([404, 200, 403, 200]);
  for (const { headers, text } of pages) {
    const policy = headers.get('content-security-policy')?.split('; ') ?? [];
    expect(policy).toEqual(
      expect.arrayContaining(["default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"]),
    );
    expect(policy.find((rule) => rule.startsWith('script-src'))).toBeUndefined();
    expect(policy.find((rule) => rule.startsWith('style-src'))).toMatch(/^style-src 'sha256-[\w+/]{43}='$/);
    expect(headers.get('referrer-policy')).toBe('same-origin');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('x-robots-tag')).toBe('noindex');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(text).not.toMatch(/<script|javascript:| on\w+=|https?:\/\//);
    expect(text).toMatch(/<html lang="en">/);
    expect(Buffer.byteLength(text)).toBeLessThan(4_000);
  }
});

test('a problem page names the service, the short URL and the status', async () => {
  const expired = await insert({ expiresAt: new Date(Date.now() - hour) });
  for (const [url, status] of [
    [at('unknown5'), 404],
    [at('unknown5+'), 404],
    [expired, 410],
  ] as const) {
    const { text } = await visit(url);
    expect(text).toContain(`<title>${/<h1>(.*)<\/h1>/.exec(text)?.[1]} – Linkmill</title>`);
    expect(text).toContain(`Error ${status}`);
    expect(text).toContain(`<bdi>${url.replace('http://', '').replace('+', '')}</bdi>`);
  }
  expect((await visit(at('two/parts'))).text).not.toContain('two');
});

test('the password page shows the short URL, to which password managers bind the password', async () => {
  const url = await insert({ password: 'secret' });
  const { text } = await visit(url);
  const address = url.replace('http://', '');
  expect(text).toContain(`<p class="url"><bdi>${address}</bdi></p>`);
  expect(text).toContain(`<input name="username" value="${address}" autocomplete="username" hidden />`);
  expect(text).toContain('autocomplete="current-password"');
});

test('the icon is served as SVG and as ICO, and cached', async () => {
  const page = await visit(at('unknown4'));
  expect(page.text).toContain('<link rel="icon" href="/favicon.svg" type="image/svg+xml" />');
  for (const [path, type] of [
    ['favicon.svg', 'image/svg+xml'],
    ['favicon.ico', 'image/x-icon'],
  ] as const) {
    const icon = await visit(at(path));
    expect(icon.status).toBe(200);
    expect(icon.headers.get('content-type')).toBe(type);
    expect(icon.headers.get('cache-control')).toBe('public, max-age=604800');
    const etag = icon.headers.get('etag')!;
    expect((await visit(at(path), { headers: { 'if-none-match': etag } })).status).toBe(304);
  }
});
