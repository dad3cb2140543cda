import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { newReport } from '../redirect/report.ts';
import { type ResponsesOf, publicOperation, page } from './public-operation.ts';

/** Documentation of the paths for reports of visitors. */
export const reportPath = (responsesOf: ResponsesOf): ZodOpenApiPathsObject => ({
  '/report': {
    get: {
      ...publicOperation,
      operationId: 'getReportPage',
      summary: 'Get the report page',
      requestParams: { query: z.object({ code: z.string().optional() }) },
      responses: {
        200: { description: 'A page with the report form.', content: page },
        ...responsesOf(['rate-limited']),
      },
    },
    post: {
      ...publicOperation,
      operationId: 'createReport',
      summary: 'Report a short URL',
      description: 'Limited to 10 reports per hour and client address. The reporter is not stored.',
      requestBody: {
        content: {
          'application/json': { schema: newReport },
          'application/x-www-form-urlencoded': { schema: newReport },
        },
      },
      responses: {
        202: {
          description: 'The report was received.',
          content: {
            ...page,
            'application/json': { schema: z.object({ status: z.literal('received') }) },
          },
        },
        ...responsesOf([
          'malformed-json',
          'bad-request',
          'cross-origin-request',
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
