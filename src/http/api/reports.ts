import { z } from 'zod';
import { type Report, reportReasons } from '../../reports/report.ts';
import type { Reports } from '../../reports/reports.ts';
import { boolean } from '../../validation/boolean.ts';
import { idParams, idPosition, timestamp } from '../routes/schemas.ts';
import type { Handlers, Operations } from './operation.ts';
import { pageOf, pageQuery, readPage } from './pagination.ts';

const tag = 'Moderation';

const shownReport = z.object({
  id: z.int(),
  short_code: z.string(),
  original_url: z.string().describe('Redirect target at the time of the report'),
  reason: z.enum(reportReasons),
  comment: z.string().nullable(),
  created_at: timestamp,
  closed_at: timestamp.nullable(),
  closed_by: z.int().nullable().describe('ID of the API key that closed the report'),
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

/** Reports of visitors. */
export const reportOperations = {
  listReports: {
    method: 'get',
    path: '/api/v1/reports',
    tag,
    summary: 'List reports',
    description: 'Reports of visitors, latest first.',
    scope: 'admin',
    query: z.strictObject({
      state: z
        .enum(['open', 'closed', 'all'], 'must be open, closed or all')
        .default('open')
        .describe('State of the reports'),
      ...pageQuery({ default: 50, max: 200 }),
    }),
    replies: { 200: { description: 'A page of reports.', body: pageOf(shownReport) } },
    problems: [],
  },
  closeReport: {
    method: 'post',
    path: '/api/v1/reports/{id}/close',
    tag,
    summary: 'Close a report',
    scope: 'admin',
    params: idParams,
    body: z.strictObject(
      {
        disable_url: boolean.nullish().describe('Disables the short URL. Its owner can enable it again'),
        block_host: boolean.nullish().describe('Blocks the host of `original_url` and its subdomains'),
      },
      'must be a JSON object',
    ),
    replies: { 200: { description: 'The closed report.', body: shownReport } },
    problems: ['not-found'],
  },
} as const satisfies Operations;

export const reportHandlers = ({ reports }: { reports: Reports }): Handlers<typeof reportOperations> => ({
  listReports: async ({ query: { state, ...page } }) => {
    const isOpen = { open: true, closed: false, all: undefined }[state];
    const { rows, nextCursor } = await readPage(page, {
      list: ['reports', state],
      position: idPosition,
      positionOf: ({ id }: Report) => id,
      read: async (before, limit) => await reports.list({ isOpen, before, limit }),
    });
    return { status: 200, body: { items: rows.map(presentReport), next_cursor: nextCursor } };
  },

  closeReport: async ({ params: { id }, body, apiKey }) => {
    const measures = { disablesUrl: body.disable_url ?? false, blocksHost: body.block_host ?? false };
    return { status: 200, body: presentReport(await reports.close(id, measures, apiKey.id)) };
  },
});
