import { aliased } from '../../storage/postgres/columns.ts';
import { boundedTransaction, type Knex, onlyRow } from '../../storage/postgres/postgres.ts';
import type { Owner } from '../../urls/store/owner.ts';
import type { Position } from '../files/record.ts';
import type { ColumnMapping } from '../formats/custom.ts';
import type { FormatName } from '../formats/formats.ts';
import { countDeleted, createTransferTable, type TransferRow } from '../transfer-table.ts';
import type { Encoding } from '../transfer.ts';
import { createChunkStore } from './chunk-store.ts';
import type { Import, ImportCounts, NewImport } from './import.ts';
import { addToReport, createReportStore, type RowError, type StoredWarning } from './report-store.ts';

declare module 'knex/types/tables.js' {
  interface Tables {
    imports: TransferRow & {
      delimiter: string;
      charset: string | null;
      format: FormatName | 'auto';
      mapping: ColumnMapping | null;
      own_hosts: string[];
      allows_private: boolean;
      max_url_length: number;
      schemes: string[];
      columns: string[] | null;
      ignored_columns: string[];
      done_bytes: number;
      done_lines: number;
      created: number;
      restored: number;
      skipped: number;
      failed: number;
      unreadable: number;
      warnings: number;
    };
  }
}

/** The result of importing some rows. */
export interface Outcome extends ImportCounts {
  errors: RowError[];
  warnings: StoredWarning[];
}

const columns = {
  id: 'id',
  apiKeyId: 'api_key_id',
  state: 'state',
  encoding: 'encoding',
  delimiter: 'delimiter',
  charset: 'charset',
  format: 'format',
  mapping: 'mapping',
  ownHosts: 'own_hosts',
  allowsPrivate: 'allows_private',
  maxUrlLength: 'max_url_length',
  schemes: 'schemes',
  columns: 'columns',
  ignoredColumns: 'ignored_columns',
  bytes: 'bytes',
  doneBytes: 'done_bytes',
  doneLines: 'done_lines',
  rows: 'rows',
  created: 'created',
  restored: 'restored',
  skipped: 'skipped',
  failed: 'failed',
  unreadable: 'unreadable',
  warnings: 'warnings',
  error: 'error',
  createdAt: 'created_at',
  finishedAt: 'finished_at',
};

export type ImportStore = ReturnType<typeof createImportStore>;

/** Imports, their files and the results of their rows. Deleting an import keeps its short URLs. */
export function createImportStore(db: Knex) {
  const { insertWithin, ...table } = createTransferTable<Import>(db, 'imports', columns);
  return {
    ...table,
    ...createChunkStore(db),
    ...createReportStore(db),

    /** Creates an import before its upload, if its API key has fewer than `most` unfinished ones; resolves to its id. */
    async begin(input: NewImport, most: number): Promise<number | undefined> {
      const isHeld = `state in ('uploading', 'waiting', 'running')`;
      return await insertWithin({ apiKeyId: input.apiKeyId, isHeld, most }, async (trx) => {
        const rows = await trx('imports')
          .insert({
            api_key_id: input.apiKeyId,
            encoding: input.encoding,
            format: input.format,
            mapping: input.mapping,
            own_hosts: input.ownHosts,
            allows_private: input.allowsPrivate,
            max_url_length: input.maxUrlLength,
            schemes: input.schemes,
          })
          .returning('id');
        return onlyRow({ rows }).id;
      });
    },

    /** Completes the upload: the import waits for the job. Undefined when it was deleted. */
    async finishUpload(importId: number, stored: StoredFile): Promise<Import | undefined> {
      const [row] = await db('imports')
        .where({ id: importId })
        .whereNull('deleted_at')
        .update({ state: 'waiting', ...stored })
        .returning<Import[]>(aliased(columns));
      return row;
    },

    /** The owner whose short URLs the import may see; undefined when its API key may no longer create short URLs. */
    async findOwner(id: number): Promise<Owner | undefined> {
      const { rows } = await db.raw<{ rows: { owner: Owner }[] }>(
        `select case when k.own_urls_only then k.id end as owner from imports i join api_keys k on k.id = i.api_key_id
         where i.id = :id and k.revoked_at is null and (k.expires_at is null or k.expires_at > now())
           and k.scopes && '{admin,urls:write}'`,
        { id },
      );
      return rows[0]?.owner;
    },

    /** Stores the detected format of a file, and the position after its header. */
    async setFormat(importId: number, detected: DetectedFile, at: Position): Promise<void> {
      const { format, columns: read, ignoredColumns } = detected;
      await db('imports').where({ id: importId, done_bytes: 0 }).update({
        state: 'running',
        last_progress_at: db.fn.now(),
        format,
        columns: read,
        ignored_columns: ignoredColumns,
        done_bytes: at.bytes,
        done_lines: at.lines,
      });
    },

    /** Runs `work` on rows and records the position `to` in the same transaction. Changes nothing and resolves to false when another worker has
     *  continued after `from`, or the import is finished. */
    async advance(
      importId: number,
      from: Position,
      to: Position,
      work: (trx: Knex) => Promise<Outcome>,
    ): Promise<boolean> {
      return await boundedTransaction(db, async (trx) => {
        const { rows } = await trx.raw<{ rows: unknown[] }>(
          `select from imports where id = :importId and done_bytes = :bytes and state in ('waiting', 'running')
             and deleted_at is null for update`,
          { importId, bytes: from.bytes },
        );
        if (rows.length === 0) return false;
        const { errors, warnings, ...counts } = await work(trx);
        await addToReport(trx, importId, { errors, warnings });
        await trx.raw(advanceSql, { importId, ...to, ...counts, warnings: warnings.length });
        return true;
      });
    },

    /** Deletes up to `limit` imports without chunks, with their errors: those that finished `retentionDays` ago, deleted ones, and aborted
     *  uploads. */
    async removeOld(retentionDays: number, idleHours: number, limit: number): Promise<number> {
      return await countDeleted(
        db,
        `delete from imports where id in (
           select id from imports i
           where (finished_at < now() - make_interval(days => :retentionDays) or deleted_at is not null
             or state = 'uploading' and last_progress_at < now() - make_interval(hours => :idleHours))
             and not exists (select from import_chunks p where p.import_id = i.id)
           limit :limit for update skip locked)`,
        { retentionDays, idleHours, limit },
      );
    },
  };
}

/** The encoding of a stored file. */
export interface StoredFile {
  encoding: Encoding;
  delimiter: string;
  charset: string;
}

/** The detected format of a file. */
interface DetectedFile {
  format: FormatName;
  columns: string[] | null;
  ignoredColumns: string[];
}

const advanceSql = `
  update imports set state = 'running', last_progress_at = now(), done_bytes = :bytes, done_lines = :lines,
    rows = rows + :rows, created = created + :created, restored = restored + :restored, skipped = skipped + :skipped,
    failed = failed + :failed, unreadable = unreadable + :unreadable, warnings = warnings + :warnings
  where id = :importId`;
