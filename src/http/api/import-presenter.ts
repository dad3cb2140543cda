import { z } from 'zod';
import { serviceNames } from '../../transfers/formats/formats.ts';
import type { Import } from '../../transfers/imports/import.ts';
import { type ImportPreview, previewRows } from '../../transfers/imports/preview.ts';
import type { StoredWarning } from '../../transfers/imports/report-store.ts';
import { timestamp } from '../routes/schemas.ts';

const warning = z.object({
  line: z.int().describe('Line of the file, or row number in a JSON document or SQL dump'),
  field: z.string(),
  code: z.enum(['dropped', 'shortened', 'cleaned', 'restored']),
  reason: z.string().describe('Does not contain values of the file'),
});

/** An import in answers of the API. */
export const shownImport = z.object({
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

/** An import with its first warnings. */
export const detailedImport = shownImport.extend({
  warnings: z
    .array(warning)
    .describe('The first 100; `GET /api/v1/imports/{id}/warnings` returns up to 10,000'),
});

/** What an import would do. */
export const shownPreview = z.object({
  format: shownImport.shape.format,
  charset: z.string(),
  rows: z.int().describe(`Rows read, without the header row: at most ${previewRows}`),
  is_whole_file: z.boolean().describe('Whether they are all rows of the file'),
  failed: z.int().describe('Rows that would not be imported'),
  warning_count: shownImport.shape.warning_count,
  mapped_columns: z
    .record(z.string(), z.string())
    .describe('The column of each field, in lower case without spaces and punctuation'),
  ignored_columns: shownImport.shape.ignored_columns,
  items: z
    .array(
      z.object({
        short_code: z.string().nullable().describe('null: a generated code'),
        original_url: z.string(),
        title: z.string().nullable(),
        tags: z.array(z.string()),
        is_active: z.boolean(),
        starts_at: timestamp.nullable(),
        expires_at: timestamp.nullable(),
        max_clicks: z.int().nullable(),
        created_at: timestamp.nullable(),
        click_count: z.int(),
      }),
    )
    .describe('The first 100 short URLs'),
  problems: z
    .array(z.object({ line: z.int(), field: z.string(), code: z.string(), reason: z.string() }))
    .describe('The first 100 problems, as in the error report'),
  warnings: z.array(warning).describe('The first 100'),
});

const timeOf = (time: Date | null | undefined) => time?.toISOString() ?? null;

export const presentPreview = (preview: ImportPreview): z.input<typeof shownPreview> => ({
  format: preview.format,
  charset: preview.charset,
  rows: preview.rows,
  is_whole_file: preview.isWhole,
  failed: preview.failed,
  warning_count: preview.warningCount,
  mapped_columns: preview.mappedColumns,
  ignored_columns: preview.ignoredColumns,
  items: preview.items.map((url) => ({
    short_code: url.shortCode ?? null,
    original_url: url.originalUrl,
    title: url.title,
    tags: url.tags,
    is_active: url.isActive,
    starts_at: timeOf(url.startsAt),
    expires_at: timeOf(url.expiresAt),
    max_clicks: url.maxClicks,
    created_at: timeOf(url.createdAt),
    click_count: url.clickCount,
  })),
  problems: preview.problems,
  warnings: preview.warnings.map(presentWarning),
});

export const presentImport = (found: Import): z.input<typeof shownImport> => ({
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

export const presentWarning = ({ line, field, code, reason }: StoredWarning): z.input<typeof warning> => ({
  line,
  field,
  code: code as z.input<typeof warning>['code'],
  reason,
});

function progressOf({ state, bytes, doneBytes }: Import): number {
  if (state === 'completed') return 100;
  return bytes === 0 ? 0 : Math.floor((100 * doneBytes) / bytes);
}
