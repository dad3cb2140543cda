import { Readable } from 'node:stream';
import { z } from 'zod';
import { transfersOf } from '../../api-keys/api-key.ts';
import { foldCode } from '../../keys/short-code.ts';
import type { Exports } from '../../transfers/exports/exports.ts';
import { exportKinds } from '../../transfers/exports/source.ts';
import type { Export } from '../../transfers/exports/store.ts';
import { timeInYears } from '../../validation/rfc3339.ts';
import { assertScope } from '../middleware/authenticate.ts';
import { idParams, idPosition, timestamp } from '../routes/schemas.ts';
import type { Handlers, Operations } from './operation.ts';
import { pageOf, pageQuery, readPage } from './pagination.ts';
import { filterText } from './urls/filter-query.ts';

const tag = 'Exports';
const fileTypes = { csv: 'text/csv', ndjson: 'application/x-ndjson' } as const;

const shownExport = z.object({
  id: z.int(),
  state: z
    .enum(['waiting', 'running', 'completed', 'failed'])
    .describe('`error` contains the reason of `failed`'),
  kind: z.enum(exportKinds),
  format: z.enum(['csv', 'ndjson']),
  progress: z.number().describe('Percentage'),
  rows: z.int().describe('Rows written'),
  bytes: z.int().describe('Bytes written'),
  error: z.string().nullable(),
  created_at: timestamp,
  finished_at: timestamp.nullable(),
});

const clickTime = timeInYears(2000, 2999).transform((at) => at.toISOString());

const newExport = z
  .strictObject(
    {
      kind: z
        .enum(exportKinds, `must be one of ${exportKinds.join(', ')}`)
        .default('urls')
        .describe('What to export. `clicks` also requires the scope `stats:read`'),
      format: z.enum(['csv', 'ndjson'], 'must be csv or ndjson').default('csv'),
      short_code: filterText.overwrite(foldCode).optional().describe('Only clicks on this short URL'),
      tag: filterText.optional().describe('Only clicks on short URLs with this tag'),
      from: clickTime.optional().describe('Only clicks at or after this time'),
      to: clickTime.optional().describe('Only clicks before this time'),
    },
    'must be a JSON object',
  )
  .superRefine(({ kind, format: _format, ...filter }, context) => {
    if (kind === 'clicks') return;
    for (const field of Object.keys(filter))
      context.addIssue({ code: 'custom', path: [field], message: 'is only allowed for clicks' });
  });

/** Files of all short URLs, or of click events. */
export const exportOperations = {
  createExport: {
    method: 'post',
    path: '/api/v1/exports',
    tag,
    summary: 'Create an export',
    description:
      'Exports all short URLs that the API key can access, or their click events, as of the start of the export. Short URLs that are ' +
      'deleted meanwhile are missing. Click events contain no visitor data.',
    scope: 'urls:read',
    body: newExport,
    replies: {
      202: {
        description: 'The export, which waits for a worker.',
        headers: { Location: 'URL of the resource' },
        body: shownExport,
      },
    },
    problems: ['too-many-transfers'],
  },
  listExports: {
    method: 'get',
    path: '/api/v1/exports',
    tag,
    summary: 'List exports',
    description:
      'Exports of this API key, latest first. A key with the scope `admin` gets those of all keys.',
    scope: 'urls:read',
    query: z.strictObject(pageQuery({ default: 100, max: 1_000 })),
    replies: { 200: { description: 'A page of exports.', body: pageOf(shownExport) } },
    problems: [],
  },
  getExport: {
    method: 'get',
    path: '/api/v1/exports/{id}',
    tag,
    summary: 'Get an export',
    scope: 'urls:read',
    params: idParams,
    replies: { 200: { description: 'The export.', body: shownExport } },
    problems: ['not-found'],
  },
  downloadExport: {
    method: 'get',
    path: '/api/v1/exports/{id}/file',
    tag,
    summary: 'Download an export',
    description: 'Requires the same permissions as creating the export.',
    scope: 'urls:read',
    params: idParams,
    replies: { 200: { description: 'The file.', content: ['text/csv', 'application/x-ndjson'] } },
    problems: ['not-found', 'not-ready'],
  },
  deleteExport: {
    method: 'delete',
    path: '/api/v1/exports/{id}',
    tag,
    summary: 'Delete an export',
    description: 'Cancels a running export, and deletes the file.',
    scope: 'urls:read',
    params: idParams,
    replies: { 200: { description: 'The last state of the export.', body: shownExport } },
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
    if (kind === 'clicks') assertScope(apiKey, 'stats:read');
    const created = await exports.create({ apiKeyId: apiKey.id, kind, encoding, owner, filter });
    return {
      status: 202,
      headers: { Location: `/api/v1/exports/${created.id}` },
      body: presentExport(created),
    };
  },

  listExports: async ({ query, apiKey }) => {
    const { rows, nextCursor } = await readPage(query, {
      list: 'exports',
      position: idPosition,
      positionOf: ({ id }: Export) => id,
      read: async (before, limit) => await exports.list(transfersOf(apiKey), before, limit),
    });
    return { status: 200, body: { items: rows.map(presentExport), next_cursor: nextCursor } };
  },

  getExport: async ({ params, apiKey }) => ({
    status: 200,
    body: presentExport(await exports.get(params.id, transfersOf(apiKey))),
  }),

  downloadExport: async ({ params, apiKey, owner, ctx }) => {
    const found = await exports.readFile(params.id, transfersOf(apiKey), owner);
    const { id, kind, encoding, bytes, content } = found;
    if (kind === 'clicks') assertScope(apiKey, 'stats:read');
    ctx.attachment(`${kind}-${id}.${encoding}`);
    const headers = { 'Content-Length': String(bytes) };
    return { status: 200, headers, type: fileTypes[encoding], body: Readable.from(content) };
  },

  deleteExport: async ({ params, apiKey }) => ({
    status: 200,
    body: presentExport(await exports.remove(params.id, transfersOf(apiKey))),
  }),
});
