import { Readable } from 'node:stream';
import { z } from 'zod';
import { transfersOf } from '../../api-keys/api-key.ts';
import { foldCode } from '../../keys/short-code.ts';
import type { Exports } from '../../transfers/exports/exports.ts';
import { exportKinds } from '../../transfers/exports/source.ts';
import type { Export } from '../../transfers/exports/store.ts';
import { assertAllowed } from '../middleware/authenticate.ts';
import type { Handlers, Operations } from './operation.ts';
import { pageOf, timestamp, transferParams } from './schemas.ts';
import { plainText } from './url-filter-query.ts';

const tag = 'Exports';
const fileTypes = { csv: 'text/csv', ndjson: 'application/x-ndjson' } as const;

const shownExport = z.object({
  id: z.int(),
  state: z
    .enum(['waiting', 'running', 'completed', 'failed'])
    .describe('`failed` is an export that cannot be written; `error` says why'),
  kind: z.enum(exportKinds),
  format: z.enum(['csv', 'ndjson']),
  progress: z.number().describe('Per cent'),
  rows: z.int().describe('Written so far'),
  bytes: z.int().describe('Of the file so far'),
  error: z.string().nullable(),
  created_at: timestamp,
  finished_at: timestamp.nullable(),
});

const moment = z.iso
  .datetime({ offset: true, error: 'must be a time such as 2027-01-31T12:00:00Z' })
  .refine((text) => text >= '2000' && text < '3000', 'must be of the years 2000 to 2999')
  .transform((text) => new Date(text).toISOString());

const newExport = z
  .strictObject(
    {
      kind: z
        .enum(exportKinds, `must be one of ${exportKinds.join(', ')}`)
        .default('urls')
        .describe('`clicks` takes the scope `stats:read`, too'),
      format: z.enum(['csv', 'ndjson'], 'must be csv or ndjson').default('csv'),
      short_code: plainText.overwrite(foldCode).optional().describe('Clicks on this short URL alone'),
      tag: plainText.optional().describe('Clicks on short URLs that have it'),
      from: moment.optional().describe('Clicks from then on'),
      to: moment.optional().describe('Clicks before'),
    },
    'must be a JSON object',
  )
  .superRefine(({ kind, format: _format, ...filter }, context) => {
    if (kind === 'clicks') return;
    for (const field of Object.keys(filter))
      context.addIssue({ code: 'custom', path: [field], message: 'is for clicks only' });
  });

/** All short URLs, or clicks, in a file. */
export const exportOperations = {
  createExport: {
    method: 'post',
    path: '/api/v1/exports',
    tag,
    summary: 'Export all short URLs, or single clicks',
    description:
      'Every short URL that there is when it begins, and is not deleted meanwhile; of an API key for its own short URLs, those. ' +
      'Clicks are those that are kept one by one when it begins; nothing tells who made them.',
    scope: 'urls:read',
    body: newExport,
    replies: {
      202: {
        description: 'It waits for a worker.',
        headers: { Location: 'Where to look at it' },
        body: shownExport,
      },
    },
    problems: ['too-many-transfers'],
  },
  listExports: {
    method: 'get',
    path: '/api/v1/exports',
    tag,
    summary: 'List exports, the latest first',
    scope: 'urls:read',
    query: pageOf(100),
    replies: {
      200: { description: 'The exports of this API key.', body: z.object({ exports: z.array(shownExport) }) },
    },
    problems: [],
  },
  getExport: {
    method: 'get',
    path: '/api/v1/exports/{id}',
    tag,
    summary: 'How far an export is',
    scope: 'urls:read',
    params: transferParams,
    replies: { 200: { description: 'The export.', body: shownExport } },
    problems: ['not-found'],
  },
  getExportFile: {
    method: 'get',
    path: '/api/v1/exports/{id}/file',
    tag,
    summary: 'Download an export',
    description: 'It takes what asking for it takes: a key that may not ask any more may not download.',
    scope: 'urls:read',
    params: transferParams,
    replies: { 200: { description: 'The file.', content: ['text/csv', 'application/x-ndjson'] } },
    problems: ['not-found', 'not-ready'],
  },
  deleteExport: {
    method: 'delete',
    path: '/api/v1/exports/{id}',
    tag,
    summary: 'End an export and forget it with its file',
    scope: 'urls:read',
    params: transferParams,
    replies: { 200: { description: 'How it stood.', body: shownExport } },
    problems: ['not-found'],
  },
} as const satisfies Operations;

const presentExport = (found: Export): z.input<typeof shownExport> => ({
  id: found.id,
  state: found.state,
  kind: found.kind,
  format: found.encoding,
  progress: progressOf(found),
  rows: found.rows,
  bytes: found.bytes,
  error: found.error,
  created_at: found.createdAt.toISOString(),
  finished_at: found.finishedAt?.toISOString() ?? null,
});

function progressOf({ state, lastId, upToId }: Export): number {
  if (state === 'completed') return 100;
  return upToId === null || upToId === 0 ? 0 : Math.floor((100 * lastId) / upToId);
}

export const exportHandlers = ({ exports }: { exports: Exports }): Handlers<typeof exportOperations> => ({
  createExport: async ({ body, apiKey, owner }) => {
    const { kind, format: encoding, ...filter } = body;
    if (kind === 'clicks') assertAllowed(apiKey, 'stats:read');
    const created = await exports.create({ apiKeyId: apiKey.id, kind, encoding, owner, filter });
    return {
      status: 202,
      headers: { Location: `/api/v1/exports/${created.id}` },
      body: presentExport(created),
    };
  },

  listExports: async ({ query, apiKey }) => {
    const found = await exports.list(transfersOf(apiKey), query.before, query.limit);
    return { status: 200, body: { exports: found.map(presentExport) } };
  },

  getExport: async ({ params, apiKey }) => ({
    status: 200,
    body: presentExport(await exports.get(params.id, transfersOf(apiKey))),
  }),

  getExportFile: async ({ params, apiKey, owner, ctx }) => {
    const found = await exports.readFile(params.id, transfersOf(apiKey), owner);
    const { id, kind, encoding, bytes, content } = found;
    if (kind === 'clicks') assertAllowed(apiKey, 'stats:read');
    ctx.attachment(`${kind}-${id}.${encoding}`);
    const headers = { 'Content-Length': String(bytes) };
    return { status: 200, headers, type: fileTypes[encoding], body: Readable.from(content) };
  },

  deleteExport: async ({ params, apiKey }) => ({
    status: 200,
    body: presentExport(await exports.remove(params.id, transfersOf(apiKey))),
  }),
});
