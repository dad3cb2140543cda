import { z } from 'zod';
import { shortUrlOf } from '../../../urls/short-url.ts';
import type { ShortUrlWithClicks } from '../../../urls/url.ts';
import { timestamp } from '../../routes/schemas.ts';

/** A short URL in every answer. */
export const shortUrl = z
  .object({
    id: z.int(),
    short_code: z.string().describe('Current short code'),
    short_url: z.url().describe('Public address of the short URL'),
    original_url: z.string().describe('Redirect target'),
    title: z.string().nullable(),
    tags: z.array(z.string()),
    notes: z.string().nullable(),
    click_count: z.int().describe('Number of counted clicks'),
    last_accessed_at: timestamp.nullable().describe('Time of the last counted click'),
    created_at: timestamp,
    updated_at: timestamp,
    starts_at: timestamp.nullable(),
    expires_at: timestamp.nullable(),
    max_clicks: z.int().nullable(),
    is_one_time: z.boolean(),
    has_password: z.boolean(),
    is_active: z
      .boolean()
      .describe('`false` for a disabled short URL, and for an expired one after the clean-up'),
    redirect_status: z.int().nullable(),
    redirect_max_age_seconds: z.int().nullable(),
    forward_query: z.boolean(),
    fallback_url: z.string().nullable(),
    crawlable: z.boolean(),
    created_by: z.int().nullable().describe('ID of the API key that created it'),
    aliases: z.array(z.string()).describe('Old codes that redirect to it, oldest first; see `keep_old_code`'),
    version: z.int().describe('Increases with each change. `ETag` contains it'),
    deleted_at: timestamp.optional().describe('Only of a deleted short URL'),
    purged_at: timestamp
      .optional()
      .describe(
        'Only of a deleted short URL: the earliest time at which it is purged. Until then it can be restored',
      ),
  })
  .meta({ id: 'ShortUrl' });

export const presentUrl = (url: ShortUrlWithClicks, baseUrl: string): z.input<typeof shortUrl> => ({
  id: url.id,
  short_code: url.shortCode,
  short_url: shortUrlOf(baseUrl, url.shortCode),
  original_url: url.originalUrl,
  title: url.title,
  tags: url.tags,
  notes: url.notes,
  click_count: url.clickCount,
  last_accessed_at: url.lastAccessedAt?.toISOString() ?? null,
  created_at: url.createdAt.toISOString(),
  updated_at: url.updatedAt.toISOString(),
  starts_at: url.startsAt?.toISOString() ?? null,
  expires_at: url.expiresAt?.toISOString() ?? null,
  max_clicks: url.maxClicks,
  is_one_time: url.isOneTime,
  has_password: url.passwordHash !== null,
  is_active: url.isActive,
  redirect_status: url.redirectStatus,
  redirect_max_age_seconds: url.redirectMaxAgeSeconds,
  forward_query: url.forwardQuery,
  fallback_url: url.fallbackUrl,
  crawlable: url.crawlable,
  created_by: url.createdBy,
  aliases: url.aliases ?? [],
  version: url.version,
});
