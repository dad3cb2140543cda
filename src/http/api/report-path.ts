import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { newReport } from '../redirect/report.ts';
import { type AnswersOf, forEverybody, page } from './public-operation.ts';

/** What the API's document says of how visitors report short URLs. */
export const reportPath = (answersOf: AnswersOf): ZodOpenApiPathsObject => ({
  '/report': {
    get: {
      ...forEverybody,
      operationId: 'getReportPage',
      summary: 'The page on which visitors report short URLs',
      requestParams: { query: z.object({ code: z.string().optional() }) },
      responses: {
        200: { description: 'A page with a form.', content: page },
        ...answersOf(['rate-limited']),
      },
    },
    post: {
      ...forEverybody,
      operationId: 'report',
      summary: 'Report a short URL',
      description: 'Ten an hour from one address. Who reports is not stored.',
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
