import { Readable } from 'node:stream';
import { z } from 'zod';
import { transfersOf } from '../../api-keys/api-key.ts';
import { formatNames } from '../../transfers/import-formats/formats.ts';
import type { Import } from '../../transfers/import-store.ts';
import type { Imports } from '../../transfers/imports.ts';
import { readUpload } from '../upload.ts';
import type { Handlers, Operations } from './operation.ts';
import { pageOf, timestamp, transferParams } from './schemas.ts';

const tag = 'Imports';
const uploads = ['text/csv', 'application/x-ndjson'] as const;

const shownImport = z.object({
  id: z.int(),
  state: z
    .enum(['uploading', 'waiting', 'running', 'completed', 'failed'])
    .describe('`failed` is an import whose file could not be read to its end; `error` says why'),
  format: z.enum(['auto', ...formatNames]),
  progress: z.number().describe('Per cent of the file'),
  bytes: z.int().describe('Of the file'),
  rows: z.int().describe('Read so far, the first row of a CSV file apart'),
  created: z.int(),
  skipped: z.int().describe('There already, with the same short code and original URL'),
  failed: z.int().describe('Not imported; the list of errors says why'),
  ignored_columns: z.array(z.string()),
  error: z.string().nullable(),
  created_at: timestamp,
  finished_at: timestamp.nullable(),
});

/** Files of short URLs from other services, or from another Linkmill. */
export const importOperations = {
  createImport: {
    method: 'post',
    path: '/api/v1/imports',
    tag,
    summary: 'Import a file of short URLs',
    description:
      'The body is the file itself, in UTF-8: CSV with the names of its columns in the first row, or a JSON object per line.',
    scope: 'urls:write',
    query: z.strictObject({
      format: z
        .enum(['auto', ...formatNames], `must be one of auto, ${formatNames.join(', ')}`)
        .default('auto')
        .describe('The service that the file comes from; `auto` tells it by the columns'),
    }),
    upload: uploads,
    replies: {
      202: {
        description: 'The file is there, and waits for a worker.',
        headers: { Location: 'Where to look at it' },
        body: shownImport,
      },
    },
    problems: ['too-many-transfers', 'upload-broken', 'validation-failed'],
  },
  listImports: {
    method: 'get',
    path: '/api/v1/imports',
    tag,
    summary: 'List imports, the latest first',
    scope: 'urls:write',
    query: pageOf(100),
    replies: {
      200: { description: 'The imports of this API key.', body: z.object({ imports: z.array(shownImport) }) },
    },
    problems: [],
  },
  getImport: {
    method: 'get',
    path: '/api/v1/imports/{id}',
    tag,
    summary: 'How far an import is',
    scope: 'urls:write',
    params: transferParams,
    replies: { 200: { description: 'The import.', body: shownImport } },
    problems: ['not-found'],
  },
  getImportErrors: {
    method: 'get',
    path: '/api/v1/imports/{id}/errors',
    tag,
    summary: 'Download the rows that were not imported, and why',
    scope: 'urls:write',
    params: transferParams,
    replies: {
      200: {
        description:
          'Columns `line`, `field`, `reason` and `row`. What a spreadsheet would take for a formula has an apostrophe before it.',
        content: ['text/csv'],
      },
    },
    problems: ['not-found'],
  },
  deleteImport: {
    method: 'delete',
    path: '/api/v1/imports/{id}',
    tag,
    summary: 'End an import and forget it',
    description: 'The short URLs that it has created stay.',
    scope: 'urls:write',
    params: transferParams,
    replies: { 200: { description: 'How it stood.', body: shownImport } },
    problems: ['not-found'],
  },
} as const satisfies Operations;

const presentImport = (found: Import): z.input<typeof shownImport> => ({
  id: found.id,
  state: found.state,
  format: found.format,
  progress: progressOf(found),
  bytes: found.bytes,
  rows: found.rows,
  created: found.created,
  skipped: found.skipped,
  failed: found.failed,
  ignored_columns: found.ignoredColumns,
  error: found.error,
  created_at: found.createdAt.toISOString(),
  finished_at: found.finishedAt?.toISOString() ?? null,
});

function progressOf({ state, bytes, doneBytes }: Import): number {
  if (state === 'completed') return 100;
  return bytes === 0 ? 0 : Math.floor((100 * doneBytes) / bytes);
}

export const importHandlers = ({ imports }: { imports: Imports }): Handlers<typeof importOperations> => ({
  createImport: async ({ query, apiKey, ctx }) => {
    const encoding = ctx.is('text/csv') ? 'csv' : 'ndjson';
    imports.checkSize(ctx.request.length);
    const begun = await imports.upload(readUpload(ctx.req), {
      apiKeyId: apiKey.id,
      encoding,
      format: query.format,
    });
    return {
      status: 202,
      headers: { Location: `/api/v1/imports/${begun.id}` },
      body: presentImport(begun),
    };
  },

  listImports: async ({ query, apiKey }) => {
    const found = await imports.list(transfersOf(apiKey), query.before, query.limit);
    return { status: 200, body: { imports: found.map(presentImport) } };
  },

  getImport: async ({ params, apiKey }) => ({
    status: 200,
    body: presentImport(await imports.get(params.id, transfersOf(apiKey))),
  }),

  getImportErrors: async ({ params, apiKey, ctx }) => {
    const errors = await imports.readErrors(params.id, transfersOf(apiKey));
    ctx.attachment(`import-${params.id}-errors.csv`);
    return { status: 200, type: 'text/csv', body: Readable.from(errors) };
  },

  deleteImport: async ({ params, apiKey }) => ({
    status: 200,
    body: presentImport(await imports.remove(params.id, transfersOf(apiKey))),
  }),
});
