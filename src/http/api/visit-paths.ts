import { z } from 'zod';
import type { ZodOpenApiPathsObject, ZodOpenApiResponsesObject } from 'zod-openapi';
import { redirectStatuses } from '../../urls/url.ts';
import type { ProblemType } from '../problems/problem-types.ts';
import { type ResponsesOf, publicOperation, page } from './public-operation.ts';
import { shortCodeParams, timestamp } from './schemas.ts';

const redirectTo = (description: string) => ({
  description,
  headers: { Location: { description: 'Redirect target', schema: { type: 'string' as const } } },
});

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

/** Problem types of every visit. */
const problemsOfVisits: ProblemType[] = [
  'bad-request',
  'not-found',
  'expired',
  'exhausted',
  'blocked',
  'rate-limited',
  'unavailable',
];

/** Documentation of the paths for visitors. */
export const visitPaths = (responsesOf: ResponsesOf): ZodOpenApiPathsObject =>
  describePaths((problems) => withPages(responsesOf(problems)));

/** Clients that accept `text/html` get problems as pages. */
const withPages = (answers: ZodOpenApiResponsesObject): ZodOpenApiResponsesObject =>
  Object.fromEntries(
    Object.entries(answers).map(([status, { description, content }]) => [
      status,
      { description, content: { ...content, ...page } },
    ]),
  );

const describePaths = (responsesOf: ResponsesOf): ZodOpenApiPathsObject => ({
  '/{short_code}': {
    get: {
      ...publicOperation,
      operationId: 'followUrl',
      summary: 'Follow a short URL',
      description:
        'Counts a click. `HEAD` gets the same answer and is not counted. A prefetch gets 403, and is counted in the metrics only.',
      requestParams: { path: shortCodeParams },
      responses: {
        200: {
          description:
            'An interstitial page, for a one-time or password-protected short URL, or for a bot on one with a click limit. Not counted.',
          content: page,
        },
        ...Object.fromEntries(
          redirectStatuses.map((status) => [status, redirectTo('Redirect to the original URL.')]),
        ),
        ...responsesOf([
          ...problemsOfVisits,
          'confirmation-required',
          'password-required',
          'prefetch-not-allowed',
        ]),
      },
    },
    post: {
      ...publicOperation,
      operationId: 'unlockUrl',
      summary: 'Follow a one-time or password-protected short URL',
      description:
        'Counts a click and uses up a one-time short URL. Pages of other origins are not allowed to send it.',
      requestParams: { path: shortCodeParams },
      requestBody: {
        content: {
          'application/x-www-form-urlencoded': { schema: z.object({ password: z.string().optional() }) },
        },
      },
      responses: {
        200: { description: 'The interstitial page: no password was sent.', content: page },
        302: redirectTo('Redirect to `fallback_url` of an expired or exhausted short URL.'),
        303: redirectTo('Redirect to the original URL.'),
        ...responsesOf([
          ...problemsOfVisits,
          'password-required',
          'invalid-password',
          'cross-origin-request',
          'method-not-allowed',
          'too-many-attempts',
          'too-large',
          'unsupported-media-type',
        ]),
      },
    },
  },
  '/{short_code}+': {
    get: {
      ...publicOperation,
      operationId: 'previewUrl',
      summary: 'Preview a short URL',
      description: 'Does not count as a click.',
      requestParams: { path: shortCodeParams },
      responses: {
        200: {
          description: 'Redirect target, and times of creation and expiry.',
          content: { ...page, 'application/json': { schema: preview } },
        },
        ...responsesOf(problemsOfVisits),
      },
    },
  },
});
