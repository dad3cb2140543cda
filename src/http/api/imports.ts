import { Readable } from 'node:stream';
import { z } from 'zod';
import { transfersOf } from '../../api-keys/api-key.ts';
import { MappingRejected, readMapping } from '../../transfers/formats/custom.ts';
import { serviceNames } from '../../transfers/formats/formats.ts';
import type { Import } from '../../transfers/imports/import.ts';
import type { Imports } from '../../transfers/imports/imports.ts';
import type { StoredWarning } from '../../transfers/imports/report-store.ts';
import { kindOf, uploadTypes } from '../uploads/upload-types.ts';
import { openUpload } from '../uploads/uploaded-file.ts';
import type { Handlers, Operations } from './operation.ts';
import { pageOf, pageQuery, readPage } from './pagination.ts';
import { idParams, idPosition, timestamp } from './schemas.ts';

const tag = 'Imports';

/** A column mapping. */
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
  line: z.int().describe('Line of the file, or row number in a JSON document or SQL dump'),
  field: z.string(),
  code: z.enum(['dropped', 'shortened', 'cleaned', 'restored']),
  reason: z.string().describe('Does not contain values of the file'),
});

const shownImport = z.object({
  id: z.int(),
  state: z
    .enum(['uploading', 'waiting', 'running', 'completed', 'failed'])
    .describe('`failed`: the file could not be read to the end. `error` contains the reason'),
  format: z
    .enum(['auto', 'custom', ...serviceNames])
    .describe('`auto` until the format is detected; `custom` with a column mapping'),
  charset: z.string().nullable().describe('Character set of the file; null during the upload'),
  progress: z.number().describe('Percentage of the file'),
  bytes: z.int().describe('Size of the file'),
  rows: z.int().describe('Rows read, without the header row'),
  created: z.int().describe('Created short URLs'),
  restored: z
    .int()
    .describe('Restored short URLs: deleted ones of the same API key with the same original URL'),
  skipped: z.int().describe('Existing short URLs with the same short code and original URL'),
  failed: z.int().describe('Rows that were not imported; see the error report'),
  warning_count: z.int().describe('Values that were dropped, shortened or cleaned'),
  ignored_columns: z
    .array(z.string())
    .describe('Names of unused columns. Texts that are not a plausible name are only counted'),
  error: z.string().nullable(),
  created_at: timestamp,
  finished_at: timestamp.nullable(),
});

const detailedImport = shownImport.extend({
  warnings: z
    .array(warning)
    .describe('The first 100; `GET /api/v1/imports/{id}/warnings` returns up to 10,000'),
});

/** Imports of short URLs from files of other services, or of another Linkmill. */
export const importOperations = {
  createImport: {
    method: 'post',
    path: '/api/v1/imports',
    tag,
    summary: 'Create an import',
    description:
      'The body is the file, or a form with one file. Formats: CSV with a header row (separated by commas, semicolons, tabs or bars), JSON (an object per line, or a document with a list), or an SQL dump of YOURLS, Polr or Kutt. UTF-8, UTF-16 and Windows-1252 are detected.',
    scope: 'urls:write',
    query: z
      .strictObject({
        format: z
          .enum(['auto', ...serviceNames], `must be one of auto, ${serviceNames.join(', ')}`)
          .default('auto')
          .describe('Service that has written the file; `auto` detects it by the columns'),
        columns: columns
          .optional()
          .describe(
            'Column mapping for files of other services, such as `short_code:slug,original_url:target,title:name`',
          )
          .meta({ type: 'string' }),
        charset: z
          .string()
          .max(40, 'must have at most 40 characters')
          .optional()
          .describe('Character set of the file, such as `shift_jis`. Overrides `Content-Type`'),
      })
      .refine(({ format, columns }) => format === 'auto' || columns === undefined, {
        path: ['columns'],
        message: 'must not be given together with format',
      }),
    upload: uploadTypes,
    replies: {
      202: {
        description: 'The import, which waits for a worker.',
        headers: { Location: 'URL of the resource' },
        body: shownImport,
      },
    },
    problems: ['too-many-transfers', 'upload-aborted', 'validation-failed'],
  },
  listImports: {
    method: 'get',
    path: '/api/v1/imports',
    tag,
    summary: 'List imports',
    description:
      'Imports of this API key, latest first. A key with the scope `admin` gets those of all keys.',
    scope: 'urls:write',
    query: z.strictObject(pageQuery({ default: 100, max: 1_000 })),
    replies: { 200: { description: 'A page of imports.', body: pageOf(shownImport) } },
    problems: [],
  },
  getImport: {
    method: 'get',
    path: '/api/v1/imports/{id}',
    tag,
    summary: 'Get an import',
    scope: 'urls:write',
    params: idParams,
    replies: { 200: { description: 'The import.', body: detailedImport } },
    problems: ['not-found'],
  },
  downloadImportErrors: {
    method: 'get',
    path: '/api/v1/imports/{id}/errors',
    tag,
    summary: 'Download the error report of an import',
    scope: 'urls:write',
    params: idParams,
    replies: {
      200: {
        description:
          'The rows that were not imported. Columns: `line`, `field`, `reason`, `row` and `code` (`invalid`, `unreadable`, `code-taken`, `code-deleted`). Values that a spreadsheet would interpret as a formula start with an apostrophe.',
        content: ['text/csv'],
      },
    },
    problems: ['not-found'],
  },
  downloadImportWarnings: {
    method: 'get',
    path: '/api/v1/imports/{id}/warnings',
    tag,
    summary: 'Download the warnings of an import',
    scope: 'urls:write',
    params: idParams,
    replies: {
      200: {
        description:
          'The first 10,000 warnings. Columns: `line`, `field`, `code` and `reason`. Contains no values of the file.',
        content: ['text/csv'],
      },
    },
    problems: ['not-found'],
  },
  deleteImport: {
    method: 'delete',
    path: '/api/v1/imports/{id}',
    tag,
    summary: 'Delete an import',
    description: 'Cancels a running import. The short URLs that it has created remain.',
    scope: 'urls:write',
    params: idParams,
    replies: { 200: { description: 'The last state of the import.', body: shownImport } },
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
    const created = await imports.upload(content, {
      apiKeyId: apiKey.id,
      kind: kindOf(type),
      charset: query.charset ?? charset,
      format: query.columns ? 'custom' : query.format,
      mapping: query.columns ?? null,
    });
    return {
      status: 202,
      headers: { Location: `/api/v1/imports/${created.id}` },
      body: presentImport(created),
    };
  },

  listImports: async ({ query, apiKey }) => {
    const { rows, nextCursor } = await readPage(query, {
      list: 'imports',
      position: idPosition,
      positionOf: ({ id }: Import) => id,
      read: async (before, limit) => await imports.list(transfersOf(apiKey), before, limit),
    });
    return { status: 200, body: { items: rows.map(presentImport), next_cursor: nextCursor } };
  },

  getImport: async ({ params, apiKey }) => ({
    status: 200,
    body: {
      ...presentImport(await imports.get(params.id, transfersOf(apiKey))),
      warnings: (await imports.readFirstWarnings(params.id)).map(presentWarning),
    },
  }),

  downloadImportErrors: async ({ params, apiKey, ctx }) => {
    const errors = await imports.readErrors(params.id, transfersOf(apiKey));
    ctx.attachment(`import-${params.id}-errors.csv`);
    return { status: 200, type: 'text/csv', body: Readable.from(errors) };
  },

  downloadImportWarnings: async ({ params, apiKey, ctx }) => {
    const warnings = await imports.readWarnings(params.id, transfersOf(apiKey));
    ctx.attachment(`import-${params.id}-warnings.csv`);
    return { status: 200, type: 'text/csv', body: Readable.from(warnings) };
  },

  deleteImport: async ({ params, apiKey }) => ({
    status: 200,
    body: presentImport(await imports.remove(params.id, transfersOf(apiKey))),
  }),
});
