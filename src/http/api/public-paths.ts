import { z } from 'zod';
import type { ZodOpenApiPathsObject, ZodOpenApiResponsesObject } from 'zod-openapi';
import type { ProblemType } from '../errors.ts';
import { shortCodeParams } from './schemas.ts';

const tag = 'For everybody';
/** No API key is needed. */
const security: [] = [];

const json = (schema: z.ZodType) => ({ 'application/json': { schema } });

const health = z
  .object({
    status: z.enum(['healthy', 'degraded', 'unhealthy']),
    timestamp: z.iso.datetime(),
    version: z.string(),
    kgs_pool_size: z.int().nullable(),
  })
  .loose();

/** What the API's document says of the paths that are served outside of the API. */
export const publicPaths = (
  answersOf: (problems: ProblemType[]) => ZodOpenApiResponsesObject,
): ZodOpenApiPathsObject => ({
  '/': {
    get: {
      operationId: 'getService',
      tags: [tag],
      summary: 'Which service this is',
      security,
      responses: {
        200: {
          description: 'Its name and version.',
          content: json(z.object({ service: z.literal('linkmill'), version: z.string() })),
        },
      },
    },
  },
  '/{short_code}': {
    get: {
      operationId: 'redirect',
      tags: [tag],
      summary: 'Follow a short URL',
      description: 'One click more. `HEAD` answers the same and counts nothing.',
      security,
      requestParams: { path: shortCodeParams },
      responses: {
        ...Object.fromEntries(
          ['301', '302', '307', '308'].map((status) => [
            status,
            {
              description: 'To the original URL.',
              headers: { Location: { description: 'The original URL', schema: { type: 'string' as const } } },
            },
          ]),
        ),
        ...answersOf(['not-found', 'expired', 'rate-limited', 'unavailable']),
      },
    },
  },
  '/health': {
    get: {
      operationId: 'getHealth',
      tags: [tag],
      summary: 'How the service is',
      security,
      responses: {
        200: { description: 'At least one store is there.', content: json(health) },
        503: { description: 'Neither store is there.', content: json(health) },
      },
    },
  },
});
