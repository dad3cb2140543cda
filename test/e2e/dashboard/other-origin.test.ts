import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { useSignedIn } from '../../support/dashboard/dashboard-page.ts';
import { track } from '../../support/resources.ts';

const { page, baseUrl, client, create, database, open } = useSignedIn();

/** Another server on this machine: with the same host name it is of the same site, and browsers send it all cookies of the service. */
let other: Server;
let closed: () => void;
let cookies = '';
let url: { id: number; short_code: string };
beforeAll(async () => {
  closed = track('another origin');
  other = createServer((request, response) => {
    cookies = request.headers.cookie ?? '';
    response
      .writeHead(200, { 'content-type': 'text/html' })
      .end('<!doctype html><title>Another origin</title>');
  }).listen(0, '127.0.0.1');
  await once(other, 'listening');
  [url] = (await create({ original_url: 'https://example.com/private', custom_code: 'private' })) as [
    typeof url,
  ];
});
afterAll(() => {
  other.closeAllConnections();
  other.close();
  closed();
});

/** A page of another origin in the signed-in browser: of the same site, or of another one. */
async function openOther(host: '127.0.0.1' | 'localhost'): Promise<Page> {
  await page().goto(`http://${host}:${(other.address() as AddressInfo).port}/`);
  return page();
}

/** What the service stores, except for the time of the last use. */
async function readState() {
  const db = database.db();
  return {
    urls: await db('urls').select('id', 'original_url', 'version', 'deleted_at').orderBy('id'),
    sessions: await db('sessions').select('id', 'token_hash').orderBy('id'),
    keys: await db('api_keys').select('id', 'name', 'scopes', 'key_hash', 'revoked_at').orderBy('id'),
    blocked: await db('blocked_hosts').select('host'),
  };
}

/** Requests that change something when a page of the service sends them. */
const writes = () => [
  ['POST', '/api/v1/urls', { original_url: 'https://evil.example/' }],
  ['PATCH', `/api/v1/urls/${url.short_code}`, { original_url: 'https://evil.example/' }],
  ['DELETE', `/api/v1/urls/${url.short_code}`, undefined],
  ['POST', '/api/v1/api-keys', { name: 'evil', scopes: ['admin'] }],
  ['POST', '/api/v1/api-keys/1/rotate', { grace_hours: 0 }],
  ['POST', '/api/v1/blocked-hosts', { host: 'example.com' }],
  ['POST', '/api/v1/jobs/flush-clicks', {}],
  ['DELETE', '/api/v1/sessions', undefined],
  ['DELETE', '/api/v1/sessions/current', undefined],
  ['GET', '/api/v1/codes?count=1', undefined],
];

/** Requests whose answers a page of another origin must not see. */
const reads = () => [
  '/api/v1/urls',
  `/api/v1/urls/${url.short_code}`,
  '/api/v1/api-keys/current',
  '/api/v1/sessions/current',
  `/api/v1/urls/${url.short_code}/qr`,
  '/admin/queues/api/queues',
  '/admin/',
];

for (const host of ['127.0.0.1', 'localhost'] as const) {
  const site = host === 'localhost' ? 'another site' : 'another origin of the same site';

  test(`fetch of ${site} reads nothing and changes nothing`, async () => {
    const tab = await openOther(host);
    // Cookies ignore ports, so that the same host gets the cookie.
    expect(cookies.includes('linkmill=')).toBe(host === '127.0.0.1');
    const before = await readState();
    const targets = [...writes(), ...reads().map((path) => ['GET', path, undefined])];
    const seen = await tab.evaluate(
      `(async () => {
        const seen = [];
        for (const [method, path, body] of ${JSON.stringify(targets)}) {
          for (const mode of ['cors', 'no-cors']) {
            for (const type of ['application/json', 'text/plain']) {
              const request = { method, mode, credentials: 'include', headers: { 'content-type': type } };
              if (method !== 'GET') request.body = JSON.stringify(body ?? {});
              const answer = await fetch(${JSON.stringify(baseUrl())} + path, request).then(
                async (response) => response.type + response.status + (await response.text()),
                () => 'refused',
              );
              if (answer !== 'refused' && answer !== 'opaque0') seen.push([method, path, mode, answer]);
            }
          }
        }
        return seen;
      })()`,
    );
    expect(seen).toEqual([]);
    expect(await readState()).toEqual(before);
  });

  test(`forms of ${site} change nothing`, async () => {
    const before = await readState();
    for (const [path, field, value] of [
      ['/api/v1/urls', '{"original_url":"https://evil.example/","title":"', '"}'],
      ['/api/v1/api-keys', '{"name":"evil","scopes":["admin"],"x":"', '"}'],
      ['/api/v1/sessions', '{"api_key":"', '"}'],
      ['/api/v1/jobs/flush-clicks', '{"a":"', '"}'],
      ['/admin/queues/api/queues/flush-clicks/pause', 'a', 'b'],
    ] as const) {
      for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
        const tab = await openOther(host);
        const answer = tab.waitForResponse((response) => response.request().method() === 'POST');
        await tab.evaluate(
          `(() => {
            const form = document.createElement('form');
            Object.assign(form, { method: 'post', action: ${JSON.stringify(baseUrl() + path)}, enctype: '${type}' });
            const input = document.createElement('input');
            Object.assign(input, { name: ${JSON.stringify(field)}, value: ${JSON.stringify(value)} });
            form.append(input);
            document.body.append(form);
            form.submit();
          })()`,
        );
        await tab.waitForURL(`${baseUrl()}${path}`);
        expect([path, type, (await answer).status()]).toEqual([
          path,
          type,
          expect.toBeOneOf([401, 403, 415]),
        ]);
      }
    }
    expect(await readState()).toEqual(before);
  });

  test(`images, scripts, frames and event streams of ${site} load nothing of the service`, async () => {
    const tab = await openOther(host);
    const loaded = await tab.evaluate(
      `(async () => {
        const loaded = [];
        const base = ${JSON.stringify(baseUrl())};
        const load = (tag, path) => new Promise((resolve) => {
          const element = document.createElement(tag);
          element.onload = () => resolve(loaded.push([tag, path]));
          element.onerror = resolve;
          if (tag === 'link') Object.assign(element, { rel: 'stylesheet', href: base + path });
          else element.src = base + path;
          document.body.append(element);
        });
        for (const path of ${JSON.stringify(reads().slice(0, -1))})
          for (const tag of ['img', 'script', 'link']) await load(tag, path);
        for (const withCredentials of [true, false])
          await new Promise((resolve) => {
            const stream = new EventSource(base + '/api/v1/clicks/stream', { withCredentials });
            stream.onopen = () => resolve(loaded.push(['EventSource', withCredentials]));
            stream.onerror = resolve;
          });
        for (const path of ['/admin/', '/admin/queues']) {
          const frame = document.createElement('iframe');
          frame.src = base + path;
          const shown = new Promise((resolve) => (frame.onload = resolve));
          document.body.append(frame);
          await shown;
          try {
            if (frame.contentDocument !== null) loaded.push(['iframe', path]);
          } catch (error) {
            loaded.push(['iframe', path, String(error)]);
          }
        }
        return loaded;
      })()`,
    );
    expect(loaded).toEqual([]);
    // A frame whose ancestors are not allowed shows an error page of the browser instead.
    expect(await tab.frames().at(-1)!.content()).not.toContain('queues');
  });
}

test('the session is still active, and the same requests succeed on a page of the service', async () => {
  await open('/');
  const answer = await page().evaluate(
    `fetch(${JSON.stringify(`${baseUrl()}/api/v1/urls/private`)}).then(async (response) => [response.status, (await response.json()).original_url])`,
  );
  expect(answer).toEqual([200, 'https://example.com/private']);
  expect((await client().get('/api/v1/urls/private')).body['version']).toBe(1);
});
