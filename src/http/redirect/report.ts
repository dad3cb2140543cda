import type Router from '@koa/router';
import type { Context } from 'koa';
import { z } from 'zod';
import { toShortCode } from '../../keys/short-code.ts';
import { reportReasons } from '../../reports/report.ts';
import type { Reports } from '../../reports/reports.ts';
import { UrlNotFound } from '../../urls/url.ts';
import { storedText } from '../../validation/text.ts';
import { createFormReader } from '../middleware/form.ts';
import type { RateLimits } from '../middleware/rate-limits.ts';
import { isSameOrigin } from '../middleware/same-origin.ts';
import { bodyOf, jsonBody, validate } from '../middleware/validation.ts';
import { answerPage, wantsJson } from '../pages/page.ts';
import { reportPage, thanksPage } from '../pages/report-page.ts';
import { Problem } from '../problems/problem.ts';
import { basePathOf } from '../server/base-path.ts';

/** A comment of the greatest length, each character of it in twelve bytes. */
const maxBytes = 16 * 1024;

/** What a visitor reports. */
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

/** `GET` and `POST /report`: what visitors say is wrong with a short URL, as a form or as JSON. Who they are is not stored. */
export function addReportRoutes(
  router: Router,
  deps: { reports: Reports; rateLimits: RateLimits; baseUrl: string },
): void {
  router.get('/report', (ctx) => {
    const { code } = ctx.query;
    answerPage(
      ctx,
      200,
      reportPage(typeof code === 'string' ? (toShortCode(code) ?? '') : '', basePathOf(deps.baseUrl)),
    );
  });

  router.post('/report', async (ctx) => {
    const { reports, rateLimits, baseUrl } = deps;
    if (!isSameOrigin(ctx, baseUrl))
      throw new Problem('cross-origin-request', 'A report is sent from our own page only.');
    const { short_code: given, reason, comment } = validate(newReport, await readBody(ctx));
    rateLimits.takeReport(ctx.req);
    const shortCode = toShortCode(given);
    if (shortCode === undefined) throw new UrlNotFound('short URL not found');
    await reports.add({ shortCode, reason, comment: comment ?? null });
    if (wantsJson(ctx)) answerJson(ctx);
    else answerPage(ctx, 202, thanksPage);
  });
}

/** The fields of a form, in which an empty one is none, or what the JSON says. */
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
