import { z } from 'zod';
import { redirectStatuses } from '../../urls/url.ts';
import type { PublicRoutes } from '../routes/public-route.ts';
import type { Reply } from '../routes/reply.ts';
import { shortCodeParams, timestamp } from '../routes/schemas.ts';

const redirectTo = (description: string) =>
  ({ description, headers: { Location: 'Redirect target' } }) satisfies Reply;

const toOriginal = redirectTo('Redirect to the original URL.');

const preview = z.object({
  short_code: z.string(),
  short_url: z.string(),
  original_url: z.string().nullable().describe('null for a one-time or password-protected short URL'),
  host: z.string().nullable().describe('Host of the original URL in ASCII'),
  host_unicode: z.string().nullable().describe('Host of the original URL in Unicode'),
  title: z.string().nullable(),
  created_at: timestamp,
  expires_at: timestamp.nullable(),
  has_password: z.boolean(),
  is_one_time: z.boolean(),
});

export type PreviewBody = z.input<typeof preview>;

/** Problem types of every visit. */
const problems = ['bad-request', 'not-found', 'expired', 'exhausted', 'blocked'] as const;

/** What visitors request. The redirect and the preview answer these routes ahead of the router: a redirect passes neither a router nor Koa. */
export const visitRoutes = {
  followUrl: {
    method: 'get',
    path: '/{short_code}',
    summary: 'Follow a short URL',
    description:
      'Counts a click. `HEAD` gets the same answer and is not counted. A prefetch gets 403, and is counted in the metrics only.',
    params: shortCodeParams,
    replies: {
      200: {
        description:
          'An interstitial page, for a one-time or password-protected short URL, or for a bot on one with a click limit. Not counted.',
        content: ['text/html'],
      },
      ...Object.fromEntries(redirectStatuses.map((status) => [status, toOriginal])),
    },
    problems: [...problems, 'confirmation-required', 'password-required', 'prefetch-not-allowed'],
  },
  unlockUrl: {
    method: 'post',
    path: '/{short_code}',
    summary: 'Follow a one-time or password-protected short URL',
    description:
      'Counts a click and uses up a one-time short URL. Pages of other origins are not allowed to send it.',
    params: shortCodeParams,
    body: {
      schema: z.object({ password: z.string().optional() }),
      types: ['application/x-www-form-urlencoded'],
      maxBytes: 4_096,
    },
    replies: {
      200: { description: 'The interstitial page: no password was sent.', content: ['text/html'] },
      302: redirectTo('Redirect to `fallback_url` of an expired or exhausted short URL.'),
      303: toOriginal,
    },
    problems: [
      ...problems,
      'password-required',
      'invalid-password',
      'cross-origin-request',
      'method-not-allowed',
      'too-many-attempts',
      'too-large',
      'unsupported-media-type',
    ],
  },
  previewUrl: {
    method: 'get',
    path: '/{short_code}+',
    summary: 'Preview a short URL',
    description: 'Does not count as a click.',
    params: shortCodeParams,
    replies: {
      200: {
        description: 'Redirect target, and times of creation and expiry.',
        body: preview,
        content: ['text/html'],
      },
    },
    problems,
  },
} as const satisfies PublicRoutes;
