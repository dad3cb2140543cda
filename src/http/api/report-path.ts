import { z } from 'zod';
import type { ZodOpenApiPathsObject, ZodOpenApiResponsesObject } from 'zod-openapi';
import type { ProblemType } from '../problem.ts';
import { newReport } from '../report.ts';

const tag = 'For everybody';
/** No API key is needed. */
const security: [] = [];
const page = { 'text/html': { schema: { type: 'string' as const } } };

/** What the API's document says of how visitors report short URLs. */
export const reportPath = (
  answersOf: (problems: ProblemType[]) => ZodOpenApiResponsesObject,
): ZodOpenApiPathsObject => ({
  '/report': {
    get: {
      operationId: 'getReportPage',
      tags: [tag],
      summary: 'The page on which visitors report short URLs',
      security,
      requestParams: { query: z.object({ code: z.string().optional() }) },
      responses: {
        200: { description: 'A page with a form.', content: page },
        ...answersOf(['rate-limited']),
      },
    },
    post: {
      operationId: 'report',
      tags: [tag],
      summary: 'Report a short URL',
      description: 'Ten an hour from one address. Who reports is not stored.',
      security,
      requestBody: {
        content: {
          'application/json': { schema: newReport },
          'application/x-www-form-urlencoded': { schema: newReport },
        },
      },
      responses: {
        202: {
          description: 'It is received.',
          content: {
            ...page,
            'application/json': { schema: z.object({ status: z.literal('received') }) },
          },
        },
        ...answersOf([
          'malformed-json',
          'bad-request',
          'foreign-origin',
          'not-found',
          'expired',
          'blocked',
          'too-large',
          'unsupported-media-type',
          'validation-failed',
          'rate-limited',
          'unavailable',
        ]),
      },
    },
  },
});
