import { z } from 'zod';
import type { Urls } from '../../urls/urls.ts';
import type { Handlers, Operations } from './operation.ts';
import { shortCodeParams, timestamp } from './schemas.ts';
import { expiryOf, newUrl, presentUrl, shownUrl } from './url-schemas.ts';

const tag = 'Short URLs';

/** The life of a short URL. */
export const urlOperations = {
  createUrl: {
    method: 'post',
    path: '/api/v1/urls',
    tag,
    summary: 'Create a short URL',
    scope: 'urls:write',
    body: newUrl,
    replies: {
      201: {
        description: 'It redirects from now on.',
        headers: { Location: 'Where to read it' },
        body: shownUrl,
      },
    },
    problems: ['code-taken'],
  },
  getUrl: {
    method: 'get',
    path: '/api/v1/urls/{short_code}',
    tag,
    summary: 'Read a short URL',
    description: 'This is not a click.',
    scope: 'urls:read',
    params: shortCodeParams,
    replies: {
      200: { description: 'The short URL.', body: shownUrl.extend({ click_count: z.int() }) },
    },
    problems: ['not-found', 'expired'],
  },
  getStats: {
    method: 'get',
    path: '/api/v1/urls/{short_code}/stats',
    tag,
    summary: 'How often a short URL was clicked',
    scope: 'stats:read',
    params: shortCodeParams,
    replies: {
      200: {
        description: 'Its counters.',
        body: z.object({
          short_code: z.string(),
          original_url: z.string(),
          clicks: z.int(),
          created_at: timestamp,
          last_accessed_at: timestamp.nullable(),
        }),
      },
    },
    problems: ['not-found', 'expired'],
  },
  deleteUrl: {
    method: 'delete',
    path: '/api/v1/urls/{short_code}',
    tag,
    summary: 'Delete a short URL',
    scope: 'urls:write',
    params: shortCodeParams,
    replies: { 204: { description: 'It leads nowhere from now on.' } },
    problems: ['not-found'],
  },
} as const satisfies Operations;

export const urlHandlers = ({
  urls,
  baseUrl,
}: {
  urls: Urls;
  baseUrl: string;
}): Handlers<typeof urlOperations> => ({
  createUrl: async ({ body, apiKey }) => {
    const wish = {
      originalUrl: body.original_url,
      customCode: body.custom_code ?? undefined,
      expiresAt: expiryOf(body, Date.now()),
    };
    const url = await urls.create(wish, apiKey.id);
    return {
      status: 201,
      headers: { Location: `${baseUrl}/api/v1/urls/${url.shortCode}` },
      body: presentUrl(url, baseUrl),
    };
  },

  getUrl: async ({ params, owner }) => {
    const url = await urls.getWithClicks(params.short_code, owner, new Date());
    return { status: 200, body: { ...presentUrl(url, baseUrl), click_count: url.clickCount } };
  },

  getStats: async ({ params, owner }) => {
    const url = await urls.getWithClicks(params.short_code, owner, new Date());
    return {
      status: 200,
      body: {
        short_code: url.shortCode,
        original_url: url.originalUrl,
        clicks: url.clickCount,
        created_at: url.createdAt.toISOString(),
        last_accessed_at: url.lastAccessedAt?.toISOString() ?? null,
      },
    };
  },

  deleteUrl: async ({ params, owner }) => {
    await urls.delete(params.short_code, owner);
    return { status: 204 };
  },
});
