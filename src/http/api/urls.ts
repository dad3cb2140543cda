import { z } from 'zod';
import { requesterOf } from '../../api-keys/api-key.ts';
import { pathOfCode } from '../../urls/short-url.ts';
import type { ShortUrl } from '../../urls/url.ts';
import type { Urls } from '../../urls/urls.ts';
import { entityTagOf, isNamedIn, versionsIn } from '../etags.ts';
import type { Handlers, Operations } from './operation.ts';
import { shortCodeParams, timestamp } from './schemas.ts';
import {
  countedUrl,
  newUrl,
  presentUrl,
  readConflictRules,
  readSettings,
  shownUrl,
  urlChange,
} from './url-schemas.ts';

const tag = 'Short URLs';

const entityTag = { ETag: 'The version, for `If-Match`' } as const;
const ifMatch = { 'If-Match': 'Only if the short URL has this `ETag`' } as const;

/** The life of a short URL. */
export const urlOperations = {
  createUrl: {
    method: 'post',
    path: '/api/v1/urls',
    tag,
    summary: 'Create a short URL',
    scope: 'urls:write',
    body: newUrl,
    isIdempotent: true,
    replies: {
      200: {
        description: 'It existed before: see `find_if_exists` and `restore_deleted`.',
        headers: { Location: 'Where to read it', ...entityTag },
        body: shownUrl,
      },
      201: {
        description: 'It redirects from now on.',
        headers: { Location: 'Where to read it', ...entityTag },
        body: shownUrl,
      },
    },
    problems: ['code-taken', 'code-deleted'],
  },
  getUrl: {
    method: 'get',
    path: '/api/v1/urls/{short_code}',
    tag,
    summary: 'Read a short URL',
    description:
      'A disabled one too: `is_active` is false, and visitors get 404. This is not a click. `ETag` says nothing of `click_count`.',
    scope: 'urls:read',
    params: shortCodeParams,
    headers: { 'If-None-Match': 'Only if the short URL has another `ETag`' },
    replies: {
      200: {
        description: 'The short URL.',
        headers: entityTag,
        body: countedUrl,
      },
      304: { description: 'It has not been changed since.', headers: entityTag },
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
  changeUrl: {
    method: 'patch',
    path: '/api/v1/urls/{short_code}',
    tag,
    summary: 'Change a short URL',
    description:
      'An expired or disabled one too. What is not given stays; null is what holds by default. With `short_code` it gets another code.',
    scope: 'urls:write',
    params: shortCodeParams,
    headers: ifMatch,
    body: urlChange,
    replies: {
      200: { description: 'What it is from now on.', headers: entityTag, body: shownUrl },
    },
    problems: ['not-found', 'version-mismatch', 'code-taken', 'code-deleted'],
  },
  restoreUrl: {
    method: 'post',
    path: '/api/v1/urls/{short_code}/restore',
    tag,
    summary: 'Bring a deleted short URL back',
    description: 'As what it was, until it is purged. One that is not deleted stays as it is.',
    scope: 'urls:write',
    params: shortCodeParams,
    replies: {
      200: { description: 'It redirects again.', headers: entityTag, body: shownUrl },
    },
    problems: ['not-found'],
  },
  deleteUrl: {
    method: 'delete',
    path: '/api/v1/urls/{short_code}',
    tag,
    summary: 'Delete a short URL',
    scope: 'urls:write',
    params: shortCodeParams,
    query: z.strictObject({
      purge: z
        .enum(['true', 'false'], 'must be true or false')
        .default('false')
        .transform((text) => text === 'true')
        .describe(
          'With `true`: removes it permanently, also if it is deleted already. Its code is free at once for the API key that created it, and later for others. For that API key, and those with the scope `admin`',
        ),
    }),
    headers: ifMatch,
    replies: {
      204: { description: 'It redirects no longer, and can be restored until it is purged.' },
    },
    problems: ['not-found', 'version-mismatch'],
  },
} as const satisfies Operations;

export const urlHandlers = ({
  urls,
  baseUrl,
}: {
  urls: Urls;
  baseUrl: string;
}): Handlers<typeof urlOperations> => ({
  createUrl: async ({ body, apiKey, owner, idempotencyKey }) => {
    const now = new Date();
    const input = {
      originalUrl: body.original_url,
      customCode: body.custom_code ?? undefined,
      ...readSettings(body, now.getTime()),
    };
    const options = { idempotencyKey, owner, ...readConflictRules(body), now };
    const { url, isNew, isRepeat } = await urls.create(input, apiKey.id, options);
    return {
      status: isNew ? 201 : 200,
      headers: {
        Location: `${baseUrl}/api/v1/urls/${pathOfCode(url.shortCode)}`,
        ...tagOf(url),
        ...(isRepeat && { 'Idempotency-Replayed': 'true' }),
      },
      body: presentUrl(url, baseUrl),
    };
  },

  getUrl: async ({ params, owner, ctx }) => {
    const url = await urls.getWithClicks(params.short_code, owner, new Date());
    const headers = tagOf(url);
    if (isNamedIn(ctx.req.headers['if-none-match'], headers.ETag)) return { status: 304, headers };
    return { status: 200, headers, body: { ...presentUrl(url, baseUrl), click_count: url.clickCount } };
  },

  changeUrl: async ({ params, body, apiKey, owner, ctx }) => {
    const { original_url: originalUrl, short_code: newCode, keep_old_code: keepsOldCode = true } = body;
    const patch = {
      ...(originalUrl === undefined ? {} : { originalUrl }),
      ...readSettings(body, Date.now()),
    };
    const versions = versionsIn(ctx.req.headers['if-match']);
    const url = await (newCode === undefined
      ? urls.change(params.short_code, patch, owner, versions)
      : urls.rename(params.short_code, { newCode, keepsOldCode, patch }, requesterOf(apiKey), versions));
    return { status: 200, headers: tagOf(url), body: presentUrl(url, baseUrl) };
  },

  restoreUrl: async ({ params, owner }) => {
    const url = await urls.restore(params.short_code, owner);
    return { status: 200, headers: tagOf(url), body: presentUrl(url, baseUrl) };
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

  deleteUrl: async ({ params, query, apiKey, owner, ctx }) => {
    const versions = versionsIn(ctx.req.headers['if-match']);
    if (query.purge) await urls.purge(params.short_code, requesterOf(apiKey), versions);
    else await urls.delete(params.short_code, owner, versions);
    return { status: 204 };
  },
});

const tagOf = ({ version }: ShortUrl) => ({ ETag: entityTagOf(version) });
