import type { Context, Middleware } from 'koa';
import { z } from 'zod';
import { toShortCode } from '../../keys/short-code.ts';
import { reportReasons } from '../../reports/report.ts';
import type { Reports } from '../../reports/reports.ts';
import { UrlNotFound } from '../../urls/url.ts';
import { storedText } from '../../validation/text.ts';
import { basePathOf } from '../base-path.ts';
import { createFormReader } from '../middleware/form.ts';
import type { RateLimits } from '../middleware/rate-limits.ts';
import { isSameOrigin } from '../middleware/same-origin.ts';
import { bodyOf, jsonBody, validate } from '../middleware/validation.ts';
import { answerPage, wantsJson } from '../pages/page.ts';
import { reportPage, reportReceivedPage } from '../pages/report-page.ts';
import { Problem } from '../problems/problem.ts';

/** The longest comment, with 12 bytes per character: percent-encoded UTF-8. */
const maxBytes = 16 * 1024;

/** The body of a report. */
export const newReport = z.strictObject(
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

const readForm = createFormReader(maxBytes);
const readJson = jsonBody(maxBytes);

/** `GET` and `POST /report`: visitors report a short URL, by a form or by JSON. The reporter's address is not stored. */
export function createReportHandlers(deps: {
  reports: Reports;
  rateLimits: RateLimits;
  baseUrl: string;
}): Record<'getReportPage' | 'report', Middleware> {
  const { reports, rateLimits, baseUrl } = deps;
  const basePath = basePathOf(baseUrl);
  return {
    getReportPage(ctx) {
      const { code } = ctx.query;
      const shortCode = typeof code === 'string' ? toShortCode(code) : undefined;
      answerPage(ctx, 200, reportPage(shortCode ?? '', basePath));
    },

    async report(ctx) {
      if (!isSameOrigin(ctx, baseUrl))
        throw new Problem('cross-origin-request', 'Cross-origin form submissions are not accepted.');
      const { short_code: given, reason, comment } = validate(newReport, await readBody(ctx));
      rateLimits.chargeReport(ctx.req);
      const shortCode = toShortCode(given);
      if (shortCode === undefined) throw new UrlNotFound('short URL not found');
      await reports.add({ shortCode, reason, comment: comment ?? null });
      if (wantsJson(ctx)) answerJson(ctx);
      else answerPage(ctx, 202, reportReceivedPage);
    },
  };
}

/** Reads a report from a form, where an empty comment is none, or from JSON. */
async function readBody(ctx: Context): Promise<unknown> {
  if (ctx.is('application/json')) {
    await readJson(ctx, async () => undefined);
    return bodyOf(ctx);
  }
  const { comment, ...fields } = await readForm(ctx);
  return comment?.trim() ? { ...fields, comment } : fields;
}

function answerJson(ctx: Context): void {
  ctx.status = 202;
  ctx.body = { status: 'received' };
}
