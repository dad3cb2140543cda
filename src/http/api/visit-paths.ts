import { z } from 'zod';
import type { ZodOpenApiPathsObject, ZodOpenApiResponsesObject } from 'zod-openapi';
import { redirectStatuses } from '../../urls/url.ts';
import type { ProblemType } from '../problems/problem.ts';
import { type AnswersOf, forEverybody, page } from './public-operation.ts';
import { shortCodeParams, timestamp } from './schemas.ts';

const redirectTo = (description: string) => ({
  description,
  headers: { Location: { description: 'The original URL', schema: { type: 'string' as const } } },
});

const preview = z.object({
  short_code: z.string(),
  short_url: z.string(),
  original_url: z.string().nullable().describe('null where it takes a password, or works once'),
  host: z.string().nullable().describe('Its host as the network knows it'),
  host_unicode: z.string().nullable().describe('Its host as people read it'),
  title: z.string().nullable(),
  created_at: timestamp,
  expires_at: timestamp.nullable(),
  has_password: z.boolean(),
  is_one_time: z.boolean(),
});

/** What a visit of any kind may meet. */
const problemsOfVisits: ProblemType[] = [
  'bad-request',
  'not-found',
  'expired',
  'exhausted',
  'blocked',
  'rate-limited',
  'unavailable',
];

/** What the API's document says of the paths on which visitors come. */
export const visitPaths = (answersOf: AnswersOf): ZodOpenApiPathsObject =>
  describePaths((problems) => withPages(answersOf(problems)));

/** Whoever accepts `text/html` gets pages for problems. */
const withPages = (answers: ZodOpenApiResponsesObject): ZodOpenApiResponsesObject =>
  Object.fromEntries(
    Object.entries(answers).map(([status, { description, content }]) => [
      status,
      { description, content: { ...content, ...page } },
    ]),
  );

const describePaths = (answersOf: AnswersOf): ZodOpenApiPathsObject => ({
  '/{short_code}': {
    get: {
      ...forEverybody,
      operationId: 'redirect',
      summary: 'Follow a short URL',
      description:
        'One click more. `HEAD` answers the same and counts nothing. A prefetch is refused, and counted as `prefetch` in the metrics.',
      requestParams: { path: shortCodeParams },
      responses: {
        200: {
          description:
            'A page: it works once or needs a password, or it has a click limit and a bot asks. Nothing is used up.',
          content: page,
        },
        ...Object.fromEntries(redirectStatuses.map((status) => [status, redirectTo('To the original URL.')])),
        ...answersOf([...problemsOfVisits, 'confirmation-needed', 'password-needed', 'prefetch']),
      },
    },
    post: {
      ...forEverybody,
      operationId: 'open',
      summary: 'Open a short URL that works once or needs a password',
      description: 'One click more, and one use. Only its own page and programs can do that, no other site.',
      requestParams: { path: shortCodeParams },
      requestBody: {
        content: {
          'application/x-www-form-urlencoded': { schema: z.object({ password: z.string().optional() }) },
        },
      },
      responses: {
        200: { description: 'The page again: no password was given.', content: page },
        302: redirectTo('To where it leads once it has expired or is used up.'),
        303: redirectTo('To the original URL.'),
        ...answersOf([
          ...problemsOfVisits,
          'password-needed',
          'wrong-password',
          'foreign-origin',
          'method-not-allowed',
          'too-many-tries',
          'too-large',
          'unsupported-media-type',
        ]),
      },
    },
  },
  '/{short_code}+': {
    get: {
      ...forEverybody,
      operationId: 'preview',
      summary: 'Where a short URL leads',
      description: 'Never a click.',
      requestParams: { path: shortCodeParams },
      responses: {
        200: {
          description: 'Where it leads, since when and until when.',
          content: { ...page, 'application/json': { schema: preview } },
        },
        ...answersOf(problemsOfVisits),
      },
    },
  },
});
