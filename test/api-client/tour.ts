import createClient from 'openapi-fetch';
import type { components, paths } from './generated/api.d.ts';

type ShortUrl = components['schemas']['ShortUrl'];
type Problem = components['schemas']['Problem'];

/** The answers of a tour through the API. */
export interface Tour {
  created: ShortUrl;
  /** Statuses of a sign-in and of a sign-out everywhere, with the number of sessions in between. */
  sessions: number[];
  /** Statuses of the results of a bulk create. */
  bulk: number[];
  listed: string[];
  changed: ShortUrl;
  staleChange: Problem['type'] | undefined;
  location: string | null;
  clicks: number;
  deleted: Problem['type'] | undefined;
  restored: ShortUrl;
}

/** Creates, lists, updates, visits, deletes and restores a short URL with a client whose types derive from the API document. Throws
 *  for an unexpected problem. */
export async function tour(baseUrl: string, apiKey: string): Promise<Tour> {
  const client = createClient<paths>({ baseUrl, headers: { 'x-api-key': apiKey } });

  const made = await client.POST('/api/v1/urls', {
    body: { original_url: 'https://example.com/tour', title: 'Tour', tags: ['tour'] },
  });
  const created = need(made.data);
  const path = { short_code: created.short_code };

  const urls = [{ original_url: 'https://example.com/bulk' }, { original_url: 'no URL' }];
  const bulk = await client.POST('/api/v1/urls/bulk', { body: { urls } });

  const list = await client.GET('/api/v1/urls', { params: { query: { tag: ['tour'] } } });
  const listed = need(list.data).items.map(({ short_code: code }) => code);

  const version = made.response.headers.get('etag') ?? '';
  const change = { params: { path, header: { 'If-Match': version } }, body: { title: 'Another tour' } };
  const changed = await client.PATCH('/api/v1/urls/{short_code}', change);
  // The version is outdated now.
  const stale = await client.PATCH('/api/v1/urls/{short_code}', change);

  const visit = await client.GET('/{short_code}', {
    params: { path },
    redirect: 'manual',
    parseAs: 'stream',
  });
  const clicks = await untilCounted(async () => {
    const stats = await client.GET('/api/v1/urls/{short_code}/stats', { params: { path } });
    return need(stats.data).clicks;
  });

  await client.DELETE('/api/v1/urls/{short_code}', { params: { path } });
  const missing = await client.GET('/api/v1/urls/{short_code}', { params: { path } });
  const restored = await client.POST('/api/v1/urls/{short_code}/restore', { params: { path } });

  const signedIn = await client.POST('/api/v1/sessions', { body: { api_key: apiKey } });
  const sessions = await client.GET('/api/v1/sessions');
  const signedOut = await client.DELETE('/api/v1/sessions');

  return {
    created,
    sessions: [signedIn.response.status, need(sessions.data).items.length, signedOut.response.status],
    bulk: need(bulk.data).results.map(({ status }) => status),
    listed,
    changed: need(changed.data),
    staleChange: stale.error?.type,
    location: visit.response.headers.get('location'),
    clicks,
    deleted: missing.error?.type,
    restored: need(restored.data),
  };
}

function need<Data>(data: Data | undefined): Data {
  if (data === undefined) throw new Error('the answer is a problem');
  return data;
}

/** Resolves to the first number above 0. Throws after 10 s. */
async function untilCounted(read: () => Promise<number>): Promise<number> {
  for (let tries = 0; tries < 100; tries++) {
    const number = await read();
    if (number > 0) return number;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('the click was not counted within 10 s');
}
