import { z } from 'zod';
import { toShortCode } from '../../keys/short-code.ts';
import { reportReasons } from '../../reports/report.ts';
import type { Reports } from '../../reports/reports.ts';
import { UrlNotFound } from '../../urls/url.ts';
import { storedText } from '../../validation/text.ts';
import type { RateLimits } from '../middleware/rate-limits.ts';
import { isSameOrigin } from '../middleware/same-origin.ts';
import { pageAnswer, wantsJson } from '../pages/page.ts';
import type { Pages } from '../pages/pages.ts';
import { Problem } from '../problems/problem.ts';
import type { PublicHandlers, PublicRoutes } from '../routes/public-route.ts';

/** The longest comment, with 12 bytes per character: percent-encoded UTF-8. */
const maxBytes = 16 * 1024;

const newReport = z.strictObject(
  {
    short_code: z.string({ error: 'is required' }),
    reason: z.enum(reportReasons, `must be one of ${reportReasons.join(', ')}`),
    comment: storedText({
      max: 1_000,
      lines: true,
      clean: (text) => text.replaceAll('\r\n', '\n').trim(),
    }).nullish(),
  },
  'must be a JSON object',
);

/** Reports of visitors. */
export const reportRoutes = {
  getReportPage: {
    method: 'get',
    path: '/report',
    summary: 'Get the report page',
    description: 'The form for `POST /report`.',
    query: z.object({
      code: z.string().optional().catch(undefined).describe('Short code that the form contains'),
    }),
    replies: { 200: { description: 'A page with the report form.', content: ['text/html'] } },
    problems: [],
  },
  createReport: {
    method: 'post',
    path: '/report',
    summary: 'Report a short URL',
    description: 'Limited to 10 reports per hour and client address. The reporter is not stored.',
    body: {
      schema: newReport,
      types: ['application/json', 'application/x-www-form-urlencoded'],
      maxBytes,
    },
    replies: {
      202: {
        description: 'The report was received.',
        body: z.object({ status: z.literal('received') }),
        content: ['text/html'],
      },
    },
    problems: [
      'malformed-json',
      'bad-request',
      'cross-origin-request',
      'not-found',
      'expired',
      'blocked',
      'too-large',
      'unsupported-media-type',
      'validation-failed',
    ],
  },
} as const satisfies PublicRoutes;

/** The reporter's address is not stored. */
export function visitorReportHandlers(deps: {
  reports: Reports;
  rateLimits: RateLimits;
  pages: Pages;
  baseUrl: string;
}): PublicHandlers<typeof reportRoutes> {
  const { reports, rateLimits, pages, baseUrl } = deps;
  return {
    getReportPage: ({ query: { code }, ctx }) => {
      const shortCode = code === undefined ? undefined : toShortCode(code);
      return pageAnswer(200, pages(ctx).report(shortCode ?? ''));
    },

    createReport: async ({ body: { short_code: given, reason, comment }, ctx }) => {
      if (!isSameOrigin(ctx, baseUrl))
        throw new Problem('cross-origin-request', 'Cross-origin form submissions are not accepted.');
      rateLimits.chargeReport(ctx.req);
      const shortCode = toShortCode(given);
      if (shortCode === undefined) throw new UrlNotFound('short URL not found');
      await reports.add({ shortCode, reason, comment: comment ?? null });
      return wantsJson(ctx)
        ? { status: 202, body: { status: 'received' } }
        : pageAnswer(202, pages(ctx).reportReceived());
    },
  };
}
