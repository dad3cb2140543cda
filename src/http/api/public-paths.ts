import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { type AnswersOf, forEverybody, page } from './public-operation.ts';
import { reportPath } from './report-path.ts';
import { visitPaths } from './visit-paths.ts';

const json = (schema: z.ZodType) => ({ 'application/json': { schema } });

const text = { 'text/plain': { schema: { type: 'string' as const } } };

const health = z
  .object({
    status: z.enum(['healthy', 'degraded', 'unhealthy']),
    timestamp: z.iso.datetime(),
    version: z.string(),
    conditions: z.array(z.object({ code: z.string(), reason: z.string(), since: z.iso.datetime() })),
    kgs_pool_size: z.int().nullable(),
  })
  .loose();

/** What the API's document says of the paths that are served outside of the API. */
export const publicPaths = (answersOf: AnswersOf): ZodOpenApiPathsObject => ({
  '/': {
    get: {
      ...forEverybody,
      operationId: 'getService',
      summary: 'Which service this is',
      responses: {
        200: {
          description: 'Its name and version, or a page for a browser.',
          content: { ...json(z.object({ service: z.literal('linkmill'), version: z.string() })), ...page },
        },
      },
    },
  },
  ...visitPaths(answersOf),
  ...reportPath(answersOf),
  '/robots.txt': {
    get: {
      ...forEverybody,
      operationId: 'getRobots',
      summary: 'Which short URLs crawlers may follow',
      responses: {
        200: { description: 'The latest `crawlable` ones, and nothing else.', content: text },
        ...answersOf(['rate-limited', 'internal-error', 'unavailable']),
      },
    },
  },
  '/health': {
    get: {
      ...forEverybody,
      operationId: 'getHealth',
      summary: 'How the service is',
      responses: {
        200: { description: 'At least one store is there.', content: json(health) },
        503: { description: 'Neither store is there.', content: json(health) },
      },
    },
  },
  '/health/live': {
    get: {
      ...forEverybody,
      operationId: 'getLiveness',
      summary: 'Whether the process can answer',
      responses: { 200: { description: 'It can.', content: json(z.object({ status: z.literal('live') })) } },
    },
  },
  '/health/ready': {
    get: {
      ...forEverybody,
      operationId: 'getReadiness',
      summary: 'Whether redirects can be served',
      responses: {
        200: { description: 'They can.', content: json(z.object({ status: z.literal('ready') })) },
        503: {
          description: 'They cannot, or the process is about to end.',
          content: json(z.object({ status: z.literal('not ready') })),
        },
      },
    },
  },
  '/metrics': {
    get: {
      ...forEverybody,
      operationId: 'getMetrics',
      summary: 'Figures for Prometheus',
      description:
        'Is there if `METRICS_TOKEN` is set, which is what the bearer is, or for everybody with `METRICS_PUBLIC`.',
      security: [{ bearer: [] }, {}],
      responses: {
        200: {
          description: 'In its text format.',
          content: text,
        },
        ...answersOf(['unauthorized', 'not-found']),
      },
    },
  },
  '/openapi.json': {
    get: {
      ...forEverybody,
      operationId: 'getApiDocument',
      summary: 'This document',
      responses: { 200: { description: 'OpenAPI 3.1.', content: json(z.looseObject({})) } },
    },
  },
  '/docs': {
    get: {
      ...forEverybody,
      operationId: 'getApiPage',
      summary: 'This document as a page, to read and to try it on',
      responses: {
        200: {
          description: 'A page that loads nothing from other hosts.',
          content: { 'text/html': { schema: { type: 'string' } } },
        },
        ...answersOf(['rate-limited']),
      },
    },
  },
});
