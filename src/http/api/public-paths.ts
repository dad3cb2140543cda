import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { problemTypesPath } from '../problems/problem-types.ts';
import { healthBody } from './health-schema.ts';
import { type ResponsesOf, publicOperation, page } from './public-operation.ts';
import { reportPath } from './report-path.ts';
import { visitPaths } from './visit-paths.ts';

const json = (schema: z.ZodType) => ({ 'application/json': { schema } });

const text = { 'text/plain': { schema: { type: 'string' as const } } };

/** Documentation of the paths outside of `/api`. */
export const publicPaths = (responsesOf: ResponsesOf): ZodOpenApiPathsObject => ({
  '/': {
    get: {
      ...publicOperation,
      operationId: 'getService',
      summary: 'Get the service name and version',
      responses: {
        200: {
          description: 'Name and version, or a page for a browser.',
          content: { ...json(z.object({ service: z.literal('linkmill'), version: z.string() })), ...page },
        },
      },
    },
  },
  ...visitPaths(responsesOf),
  ...reportPath(responsesOf),
  '/robots.txt': {
    get: {
      ...publicOperation,
      operationId: 'getRobots',
      summary: 'Get the robots.txt',
      responses: {
        200: {
          description: 'Allows the latest `crawlable` short URLs, and disallows everything else.',
          content: text,
        },
        ...responsesOf(['rate-limited', 'internal-error', 'unavailable']),
      },
    },
  },
  '/health': {
    get: {
      ...publicOperation,
      operationId: 'getHealth',
      summary: 'Get health',
      responses: {
        200: { description: 'PostgreSQL or Redis is available.', content: json(healthBody) },
        503: { description: 'Neither PostgreSQL nor Redis is available.', content: json(healthBody) },
      },
    },
  },
  '/health/live': {
    get: {
      ...publicOperation,
      operationId: 'getLiveness',
      summary: 'Get liveness',
      responses: {
        200: {
          description: 'The process is running.',
          content: json(z.object({ status: z.literal('live') })),
        },
      },
    },
  },
  '/health/ready': {
    get: {
      ...publicOperation,
      operationId: 'getReadiness',
      summary: 'Get readiness',
      responses: {
        200: {
          description: 'The process can serve redirects.',
          content: json(z.object({ status: z.literal('ready') })),
        },
        503: {
          description: 'The process cannot serve redirects, or is shutting down.',
          content: json(z.object({ status: z.literal('not ready') })),
        },
      },
    },
  },
  '/metrics': {
    get: {
      ...publicOperation,
      operationId: 'getMetrics',
      summary: 'Get metrics',
      description:
        'Requires `METRICS_TOKEN` as bearer token, unless `METRICS_PUBLIC` is set. Without either setting it is 404.',
      security: [{ bearer: [] }, {}],
      responses: {
        200: {
          description: 'Metrics in the text format of Prometheus.',
          content: text,
        },
        ...responsesOf(['unauthorized', 'not-found']),
      },
    },
  },
  '/openapi.json': {
    get: {
      ...publicOperation,
      operationId: 'getApiDocument',
      summary: 'Get this document',
      responses: { 200: { description: 'OpenAPI 3.1.', content: json(z.looseObject({})) } },
    },
  },
  '/docs': {
    get: {
      ...publicOperation,
      operationId: 'getApiPage',
      summary: 'Get this document as a page',
      responses: {
        200: {
          description: 'A page to read and try the API; it loads nothing from other hosts.',
          content: { 'text/html': { schema: { type: 'string' } } },
        },
        ...responsesOf(['rate-limited']),
      },
    },
  },
  [problemTypesPath]: {
    get: {
      ...publicOperation,
      operationId: 'getProblemTypes',
      summary: 'Get the page of problem types',
      description: 'The `type` of each problem is a link to a section of this page.',
      responses: {
        200: { description: 'A page with a section for each problem type.', content: page },
        ...responsesOf(['rate-limited']),
      },
    },
  },
});
