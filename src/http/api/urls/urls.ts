import { z } from 'zod';
import { requesterOf } from '../../../api-keys/api-key.ts';
import { pathOfCode } from '../../../urls/short-url.ts';
import type { ShortUrl } from '../../../urls/url.ts';
import type { Urls } from '../../../urls/urls.ts';
import { booleanText } from '../../../validation/boolean.ts';
import { entityTagOf, matchesEntityTag, versionsIn } from '../../etags.ts';
import { shortCodeParams, timestamp } from '../../routes/schemas.ts';
import type { Handlers, Operations } from '../operation.ts';
import { createUrl } from './create-url.ts';
import { presentUrl, shortUrl } from './presenter.ts';
import { toUrlPatch, urlInput, urlPatch } from './schemas.ts';

const tag = 'Short URLs';

const entityTag = { ETag: 'Version of the short URL, for `If-Match`' } as const;
const ifMatch = { 'If-Match': 'Makes the change only if the short URL has this `ETag`' } as const;

/** Operations on one short URL. */
export const urlOperations = {
  createUrl: {
    method: 'post',
    path: '/api/v1/urls',
    tag,
    summary: 'Create a short URL',
    scope: 'urls:write',
    body: urlInput,
    isIdempotent: true,
    replies: {
      200: {
        description: 'The existing short URL; see `find_if_exists` and `restore_deleted`.',
        headers: { Location: 'URL of the resource', ...entityTag },
        body: shortUrl,
      },
      201: {
        description: 'The created short URL.',
        headers: { Location: 'URL of the resource', ...entityTag },
        body: shortUrl,
      },
    },
    problems: ['code-taken', 'code-deleted'],
  },
  getUrl: {
    method: 'get',
    path: '/api/v1/urls/{short_code}',
    tag,
    summary: 'Get a short URL',
    description:
      'Also returns disabled short URLs. Does not count as a click. `ETag` does not change with clicks.',
    scope: 'urls:read',
    params: shortCodeParams,
    headers: { 'If-None-Match': 'Answers 304 if the short URL still has this `ETag`' },
    replies: {
      200: {
        description: 'The short URL.',
        headers: entityTag,
        body: shortUrl,
      },
      304: { description: 'The short URL has not changed.', headers: entityTag },
    },
    problems: ['not-found', 'expired'],
  },
  getUrlStats: {
    method: 'get',
    path: '/api/v1/urls/{short_code}/stats',
    tag,
    summary: 'Get the click count of a short URL',
    scope: 'stats:read',
    params: shortCodeParams,
    replies: {
      200: {
        description: 'The counters of the short URL.',
        body: z.object({
          short_code: z.string(),
          original_url: z.string(),
          clicks: z.int().describe('Number of counted clicks'),
          created_at: timestamp,
          last_accessed_at: timestamp.nullable().describe('Time of the last counted click'),
        }),
      },
    },
    problems: ['not-found', 'expired'],
  },
  updateUrl: {
    method: 'patch',
    path: '/api/v1/urls/{short_code}',
    tag,
    summary: 'Update a short URL',
    description:
      'Also updates expired and disabled short URLs. Omitted fields stay unchanged; null restores the default. `short_code` renames the short URL.',
    scope: 'urls:write',
    params: shortCodeParams,
    headers: ifMatch,
    body: urlPatch,
    replies: {
      200: { description: 'The updated short URL.', headers: entityTag, body: shortUrl },
    },
    problems: ['not-found', 'version-mismatch', 'code-taken', 'code-deleted'],
  },
  restoreUrl: {
    method: 'post',
    path: '/api/v1/urls/{short_code}/restore',
    tag,
    summary: 'Restore a short URL',
    description:
      'Restores a deleted short URL unchanged, until it is purged. Has no effect on one that is not deleted.',
    scope: 'urls:write',
    params: shortCodeParams,
    replies: {
      200: { description: 'The restored short URL.', headers: entityTag, body: shortUrl },
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
      purge: booleanText
        .prefault('false')
        .describe(
          'Removes the short URL permanently, also if it is already deleted. Requires the API key that created it, or the scope ' +
            '`admin`. The API key that created it can reuse the code at once, other keys later.',
        ),
    }),
    headers: ifMatch,
    replies: {
      204: { description: 'The short URL is deleted. It can be restored until it is purged.' },
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
  createUrl: async ({ body, apiKey, idempotencyKey }) => {
    const { url, isNew, isRepeat } = await createUrl(urls, body, { apiKey, idempotencyKey });
    return {
      status: isNew ? 201 : 200,
      headers: {
        Location: `${baseUrl}/api/v1/urls/${pathOfCode(url.shortCode)}`,
        ...etagOf(url),
        ...(isRepeat && { 'Idempotent-Replayed': 'true' }),
      },
      body: presentUrl(url, baseUrl),
    };
  },

  getUrl: async ({ params, owner, ctx }) => {
    const url = await urls.getWithClicks(params.short_code, owner, new Date());
    const headers = etagOf(url);
    if (matchesEntityTag(ctx.req.headers['if-none-match'], headers.ETag)) return { status: 304, headers };
    return { status: 200, headers, body: presentUrl(url, baseUrl) };
  },

  updateUrl: async ({ params, body, apiKey, owner, ctx }) => {
    const { short_code: newCode, keep_old_code: keepsOldCode = true } = body;
    const patch = toUrlPatch(body, new Date());
    const versions = versionsIn(ctx.req.headers['if-match']);
    const url = await (newCode === undefined
      ? urls.change(params.short_code, patch, owner, versions)
      : urls.rename(params.short_code, { newCode, keepsOldCode, patch }, requesterOf(apiKey), versions));
    return { status: 200, headers: etagOf(url), body: presentUrl(await urls.withClicks(url), baseUrl) };
  },

  restoreUrl: async ({ params, owner }) => {
    const url = await urls.restore(params.short_code, owner);
    return { status: 200, headers: etagOf(url), body: presentUrl(await urls.withClicks(url), baseUrl) };
  },

  getUrlStats: async ({ params, owner }) => {
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

const etagOf = ({ version }: ShortUrl) => ({ ETag: entityTagOf(version) });
