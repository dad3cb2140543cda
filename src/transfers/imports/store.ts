import { boundedTransaction, type Knex, onlyRow } from '../../storage/postgres/postgres.ts';
import type { Owner } from '../../urls/store/owner.ts';
import type { Position } from '../files/record.ts';
import type { FormatName } from '../formats/formats.ts';
import { countDeleted, createTransferTable } from '../transfer-table.ts';
import type { Encoding } from '../transfer.ts';
import { createChunkStore } from './chunk-store.ts';
import type { Import, NewImport } from './import.ts';
import { addToReport, createReportStore, type RowError, type StoredWarning } from './report-store.ts';

/** The result of importing some rows. */
export interface Outcome {
  rows: number;
  created: number;
  restored: number;
  skipped: number;
  failed: number;
  unreadable: number;
  errors: RowError[];
  warnings: StoredWarning[];
}

const columns = `id, api_key_id as "apiKeyId", state, encoding, delimiter, charset, format, mapping,
  own_hosts as "ownHosts", allows_private as "allowsPrivate",
  max_url_length as "maxUrlLength", schemes, columns, ignored_columns as "ignoredColumns", bytes,
  done_bytes as "doneBytes", done_lines as "doneLines", rows, created, restored, skipped, failed, unreadable, warnings, error, created_at as "createdAt",
  finished_at as "finishedAt"`;

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
        const begun = await trx.raw<{ rows: { id: number }[] }>(
          `insert into imports (api_key_id, encoding, format, mapping, own_hosts, allows_private, max_url_length, schemes)
           values (:apiKeyId, :encoding, :format, cast(:mapping as jsonb), cast(:ownHosts as text[]), :allowsPrivate,
                   :maxUrlLength, cast(:schemes as text[]))
           returning id`,
          { ...input, mapping: input.mapping && JSON.stringify(input.mapping) },
        );
        return onlyRow(begun).id;
      });
    },

    /** Completes the upload: the import waits for the job. Undefined when it was deleted. */
    async finishUpload(importId: number, stored: StoredFile): Promise<Import | undefined> {
      const { rows } = await db.raw<{ rows: Import[] }>(
        `update imports set state = 'waiting', encoding = :encoding, delimiter = :delimiter, charset = :charset
         where id = :importId and deleted_at is null returning ${columns}`,
        { importId, ...stored },
      );
      return rows[0];
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
      await db.raw(
        `update imports set state = 'running', last_progress_at = now(), format = :format, columns = cast(:columns as text[]),
           ignored_columns = cast(:ignoredColumns as text[]), done_bytes = :bytes, done_lines = :lines
         where id = :importId and done_bytes = 0`,
        { importId, ...detected, ...at },
      );
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
