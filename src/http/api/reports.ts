import { z } from 'zod';
import { type Report, reportReasons } from '../../reports/report.ts';
import type { Reports } from '../../reports/reports.ts';
import { wholeNumberText } from '../../validation/integer.ts';
import type { Handlers, Operations } from './operation.ts';
import { timestamp } from './schemas.ts';

const tag = 'Safety';
const maxListed = 200;

const id = wholeNumberText(1);
const truth = z.boolean('must be true or false');

const shownReport = z.object({
  id: z.int(),
  short_code: z.string(),
  original_url: z.string().describe('Where it led when it was reported'),
  reason: z.enum(reportReasons),
  comment: z.string().nullable(),
  created_at: timestamp,
  closed_at: timestamp.nullable(),
  closed_by: z.int().nullable(),
});

const presentReport = (report: Report): z.input<typeof shownReport> => ({
  id: report.id,
  short_code: report.shortCode,
  original_url: report.originalUrl,
  reason: report.reason,
  comment: report.comment,
  created_at: report.createdAt.toISOString(),
  closed_at: report.closedAt?.toISOString() ?? null,
  closed_by: report.closedBy,
});

/** What visitors have reported. */
export const reportOperations = {
  listReports: {
    method: 'get',
    path: '/api/v1/reports',
    tag,
    summary: 'List reports of visitors, the latest first',
    scope: 'admin',
    query: z.strictObject({
      state: z.enum(['open', 'closed', 'all'], 'must be open, closed or all').default('open'),
      before: id
        .default(Number.MAX_SAFE_INTEGER)
        .describe('Those with a lower id: `next_before` of the answer before'),
      limit: wholeNumberText(1, maxListed).default(50),
    }),
    replies: {
      200: {
        description: 'Reports, and where to go on, or null at the end.',
        body: z.object({ items: z.array(shownReport), next_before: z.int().nullable() }),
      },
    },
    problems: [],
  },
  closeReport: {
    method: 'post',
    path: '/api/v1/reports/{id}/close',
    tag,
    summary: 'Close a report, and do something about its short URL',
    scope: 'admin',
    params: z.object({ id }),
    body: z.strictObject(
      {
        disable_url: truth
          .nullish()
          .describe('The short URL leads nowhere from now on; whoever may change it can enable it again'),
        block_host: truth
          .nullish()
          .describe('No short URL leads to the host that it led to, or below it, whoever asks for that'),
      },
      'must be a JSON object',
    ),
    replies: { 200: { description: 'The report, which is closed.', body: shownReport } },
    problems: ['not-found'],
  },
} as const satisfies Operations;

export const reportHandlers = ({ reports }: { reports: Reports }): Handlers<typeof reportOperations> => ({
  listReports: async ({ query: { state, before, limit } }) => {
    const isOpen = { open: true, closed: false, all: undefined }[state];
    const found = await reports.list({ isOpen, before, limit });
    const next = found.length === limit ? found.at(-1) : undefined;
    return { status: 200, body: { items: found.map(presentReport), next_before: next?.id ?? null } };
  },

  closeReport: async ({ params: { id }, body, apiKey }) => {
    const measures = { disablesUrl: body.disable_url ?? false, blocksHost: body.block_host ?? false };
    return { status: 200, body: presentReport(await reports.close(id, measures, apiKey.id)) };
  },
});
