import { Readable } from 'node:stream';
import { z } from 'zod';
import { transfersOf } from '../../api-keys/api-key.ts';
import { MappingRejected, readMapping } from '../../transfers/formats/custom.ts';
import { serviceNames } from '../../transfers/formats/formats.ts';
import type { Import } from '../../transfers/imports/import.ts';
import type { Imports } from '../../transfers/imports/imports.ts';
import { previewRows } from '../../transfers/imports/preview.ts';
import { booleanText } from '../../validation/boolean.ts';
import { idParams, idPosition } from '../routes/schemas.ts';
import { kindOf, uploadTypes } from '../uploads/upload-types.ts';
import { openUpload } from '../uploads/uploaded-file.ts';
import {
  detailedImport,
  presentImport,
  presentPreview,
  presentWarning,
  shownImport,
  shownPreview,
} from './import-presenter.ts';
import { type Handlers, type Operations, weigh } from './operation.ts';
import { pageOf, pageQuery, readPage } from './pagination.ts';

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

/** A dry run validates its rows in the request, as a bulk request does. */
const weightOfImport = ({ query }: { query: { dry_run: boolean } }) =>
  query.dry_run ? weigh(previewRows) : 1;

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
    weightOf: weightOfImport,
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
        dry_run: booleanText
          .prefault('false')
          .describe(
            'Stores nothing: answers what would become of the first 1,000 rows (at most 2 MB, in the first 8 MB of the file), without waiting for the rest. Counts as 100 requests',
          ),
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
      200: { description: 'With `dry_run`: what the import would do.', body: shownPreview },
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

export const importHandlers = ({ imports }: { imports: Imports }): Handlers<typeof importOperations> => ({
  createImport: async ({ query, apiKey, ctx }) => {
    imports.checkSize(ctx.request.length);
    const { content, type, charset } = await openUpload(ctx.req, imports.checkSize);
    const request = {
      apiKeyId: apiKey.id,
      kind: kindOf(type),
      charset: query.charset ?? charset,
      format: query.columns ? ('custom' as const) : query.format,
      mapping: query.columns ?? null,
    };
    if (query.dry_run) return { status: 200, body: presentPreview(await imports.preview(content, request)) };
    const created = await imports.upload(content, request);
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
