import { Readable } from 'node:stream';
import { z } from 'zod';
import { transfersOf } from '../../api-keys/api-key.ts';
import { MappingRejected, readMapping } from '../../transfers/formats/custom.ts';
import { serviceNames } from '../../transfers/formats/formats.ts';
import type { Imports } from '../../transfers/imports/imports.ts';
import type { Import, StoredWarning } from '../../transfers/imports/store.ts';
import { kindOf, uploadTypes } from '../uploads/upload-types.ts';
import { openUpload } from '../uploads/uploaded-file.ts';
import type { Handlers, Operations } from './operation.ts';
import { pageOf, timestamp, transferParams } from './schemas.ts';

const tag = 'Imports';

/** Which columns have which fields. */
const columns = z
  .string()
  .max(4_000, 'must have at most 4000 characters')
  .transform((text, context) => {
    try {
      return readMapping(text);
    } catch (error) {
      if (!(error instanceof MappingRejected)) throw error;
      context.addIssue({ code: 'custom', message: error.message });
      return z.NEVER;
    }
  });

const warning = z.object({
  line: z.int().describe('In the file; of a JSON document or an SQL dump, the number of the row'),
  field: z.string(),
  code: z.enum(['dropped', 'shortened', 'cleaned', 'restored']),
  reason: z.string().describe('It repeats nothing of the file'),
});

const shownImport = z.object({
  id: z.int(),
  state: z
    .enum(['uploading', 'waiting', 'running', 'completed', 'failed'])
    .describe('`failed` is an import whose file could not be read to its end; `error` says why'),
  format: z
    .enum(['auto', 'custom', ...serviceNames])
    .describe('`auto` until the columns are read; `custom` with a column mapping'),
  charset: z.string().nullable().describe('In which the file came; null while it comes'),
  progress: z.number().describe('Per cent of the file'),
  bytes: z.int().describe('Of the file'),
  rows: z.int().describe('Read so far, the first row of a CSV file apart'),
  created: z.int(),
  restored: z
    .int()
    .describe('Deleted before by the same API key, with the same original URL, and brought back'),
  skipped: z.int().describe('There already, with the same short code and original URL'),
  failed: z.int().describe('Not imported; the list of errors says why'),
  warning_count: z.int().describe('Values that rows were imported without, or with less of them'),
  ignored_columns: z
    .array(z.string())
    .describe('Columns that are not read. What does not look like a name is counted, not repeated'),
  error: z.string().nullable(),
  created_at: timestamp,
  finished_at: timestamp.nullable(),
});

const detailedImport = shownImport.extend({
  warnings: z
    .array(warning)
    .describe('The first 100; `GET /api/v1/imports/{id}/warnings` has all that are kept'),
});

/** Files of short URLs from other services, or from another Linkmill. */
export const importOperations = {
  createImport: {
    method: 'post',
    path: '/api/v1/imports',
    tag,
    summary: 'Import a file of short URLs',
    description:
      'The body is the file itself, or a form with it: CSV (separated by commas, semicolons, tabs or bars) with the names of its columns in the first row, JSON (an object per line, or a document with a list), or an SQL dump of YOURLS, Polr or Kutt. UTF-8, UTF-16 and Windows-1252 are detected.',
    scope: 'urls:write',
    query: z
      .strictObject({
        format: z
          .enum(['auto', ...serviceNames], `must be one of auto, ${serviceNames.join(', ')}`)
          .default('auto')
          .describe('The service that the file comes from; `auto` tells it by the columns'),
        columns: columns
          .optional()
          .describe(
            'Which column has which field, for files of other services: `short_code:slug,original_url:target,title:name`',
          )
          .meta({ type: 'string' }),
        charset: z
          .string()
          .max(40, 'must have at most 40 characters')
          .optional()
          .describe('The character set of the file, such as `shift_jis`; it goes before what the body says'),
      })
      .refine(({ format, columns }) => format === 'auto' || columns === undefined, {
        path: ['columns'],
        message: 'must not be given together with format',
      }),
    upload: uploadTypes,
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
    replies: { 200: { description: 'The import.', body: detailedImport } },
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
          'Columns `line`, `field`, `reason`, `row` and `code` (`invalid`, `unreadable`, `code-taken`, `code-deleted`). What a spreadsheet would take for a formula has an apostrophe before it.',
        content: ['text/csv'],
      },
    },
    problems: ['not-found'],
  },
  getImportWarnings: {
    method: 'get',
    path: '/api/v1/imports/{id}/warnings',
    tag,
    summary: 'Download what rows were imported without',
    scope: 'urls:write',
    params: transferParams,
    replies: {
      200: {
        description:
          'Columns `line`, `field`, `code` and `reason`; the first 10,000. Nothing of the file is in it.',
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
  charset: found.charset,
  progress: progressOf(found),
  bytes: found.bytes,
  rows: found.rows,
  created: found.created,
  restored: found.restored,
  skipped: found.skipped,
  failed: found.failed,
  warning_count: found.warnings,
  ignored_columns: found.ignoredColumns,
  error: found.error,
  created_at: found.createdAt.toISOString(),
  finished_at: found.finishedAt?.toISOString() ?? null,
});

const presentWarning = ({ line, field, code, reason }: StoredWarning): z.input<typeof warning> => ({
  line,
  field,
  code: code as z.input<typeof warning>['code'],
  reason,
});

function progressOf({ state, bytes, doneBytes }: Import): number {
  if (state === 'completed') return 100;
  return bytes === 0 ? 0 : Math.floor((100 * doneBytes) / bytes);
}

export const importHandlers = ({ imports }: { imports: Imports }): Handlers<typeof importOperations> => ({
  createImport: async ({ query, apiKey, ctx }) => {
    imports.checkSize(ctx.request.length);
    const { content, type, charset } = await openUpload(ctx.req, imports.checkSize);
    const begun = await imports.upload(content, {
      apiKeyId: apiKey.id,
      kind: kindOf(type),
      charset: query.charset ?? charset,
      format: query.columns ? 'custom' : query.format,
      mapping: query.columns ?? null,
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
    body: {
      ...presentImport(await imports.get(params.id, transfersOf(apiKey))),
      warnings: (await imports.readFirstWarnings(params.id)).map(presentWarning),
    },
  }),

  getImportErrors: async ({ params, apiKey, ctx }) => {
    const errors = await imports.readErrors(params.id, transfersOf(apiKey));
    ctx.attachment(`import-${params.id}-errors.csv`);
    return { status: 200, type: 'text/csv', body: Readable.from(errors) };
  },

  getImportWarnings: async ({ params, apiKey, ctx }) => {
    const warnings = await imports.readWarnings(params.id, transfersOf(apiKey));
    ctx.attachment(`import-${params.id}-warnings.csv`);
    return { status: 200, type: 'text/csv', body: Readable.from(warnings) };
  },

  deleteImport: async ({ params, apiKey }) => ({
    status: 200,
    body: presentImport(await imports.remove(params.id, transfersOf(apiKey))),
  }),
});
