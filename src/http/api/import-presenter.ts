import { z } from 'zod';
import { serviceNames } from '../../transfers/formats/formats.ts';
import type { Import } from '../../transfers/imports/import.ts';
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
