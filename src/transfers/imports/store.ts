import { boundedTransaction, type Knex, onlyRow } from '../../storage/postgres/postgres.ts';
import type { Owner } from '../../urls/store/owner.ts';
import type { Position } from '../files/records.ts';
import type { ColumnMapping } from '../formats/custom.ts';
import type { FormatName } from '../formats/formats.ts';
import type { RowProblem } from '../rows/row-schema.ts';
import { countDeleted, createTransferTable } from '../transfer-table.ts';
import type { Encoding, ImportState } from '../transfer.ts';

/** The URL rules of the service at the time of the upload, see `createDestinationPolicy`. */
export interface ImportUrlRules {
  ownHosts: string[];
  allowsPrivate: boolean;
  maxUrlLength: number;
  schemes: string[];
}

/** An import at the start of its upload. */
export interface NewImport extends ImportUrlRules {
  apiKeyId: number;
  encoding: Encoding;
  format: FormatName | 'auto';
  /** The column mapping, if the client sets one. */
  mapping: ColumnMapping | null;
}

export interface Import extends NewImport {
  id: number;
  state: ImportState;
  /** The delimiter of a CSV file. */
  delimiter: string;
  /** The original character set of the file, which is stored as UTF-8; null until it is known. */
  charset: string | null;
  /** The plain names of the columns that are read, with an empty text for others; null until the format is detected. */
  columns: string[] | null;
  ignoredColumns: string[];
  /** Size of the file. */
  bytes: number;
  doneBytes: number;
  doneLines: number;
  rows: number;
  created: number;
  /** Deleted short URLs that were restored. */
  restored: number;
  skipped: number;
  failed: number;
  /** Failed rows that are unreadable. */
  unreadable: number;
  /** Values that were dropped or shortened. */
  warnings: number;
  /** Why the import failed. */
  error: string | null;
  createdAt: Date;
  finishedAt: Date | null;
}

/** An error of a row that was not imported. */
export interface RowError extends Required<RowProblem> {
  line: number;
  row: string;
}

/** A value of an imported row that was dropped or shortened. */
export interface StoredWarning {
  line: number;
  field: string;
  code: string;
  reason: string;
}

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

/** Most errors, and most warnings, that are stored per import. */
export const maxErrors = 10_000;

export type ImportStore = ReturnType<typeof createImportStore>;

/** Imports, their files and the results of their rows. Deleting an import keeps its short URLs. */
export function createImportStore(db: Knex) {
  const { insertWithin, ...table } = createTransferTable<Import>(db, 'imports', columns);
  return {
    ...table,

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

    /** Stores the chunk of an import's file at this byte. Changes nothing and resolves to false when the import was deleted. */
    async addChunk(importId: number, firstByte: number, content: Buffer): Promise<boolean> {
      const { rows } = await db.raw<{ rows: unknown[] }>(
        `with import as (
           update imports set worked_at = now(), bytes = bytes + cast(:length as integer)
           where id = :importId and deleted_at is null returning id
         )
         insert into import_pieces (import_id, first_byte, content) select id, cast(:firstByte as bigint), cast(:content as bytea) from import
         returning 1`,
        { importId, firstByte, content, length: content.length },
      );
      return rows.length > 0;
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

    /** Up to `limit` of an import's errors after this one, in the order of their rows. */
    async findErrors(importId: number, after: number, limit: number): Promise<(RowError & { id: number })[]> {
      const { rows } = await db.raw<{ rows: (RowError & { id: number })[] }>(
        `select id, line, field, reason, row, code from import_errors
         where import_id = :importId and id > :after order by id limit :limit`,
        { importId, after, limit },
      );
      return rows;
    },

    /** Up to `limit` of an import's warnings after this one, in the order of their rows. */
    async findWarnings(
      importId: number,
      after: number,
      limit: number,
    ): Promise<(StoredWarning & { id: number })[]> {
      const { rows } = await db.raw<{ rows: (StoredWarning & { id: number })[] }>(
        `select id, line, field, code, reason from import_warnings
         where import_id = :importId and id > :after order by id limit :limit`,
        { importId, after, limit },
      );
      return rows;
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

    /** Up to `length` bytes of an import's file, from this byte. */
    async readBytes(importId: number, from: number, length: number): Promise<Buffer> {
      const { rows } = await db.raw<{ rows: { content: Buffer }[] }>(
        `select substring(content from cast(greatest(:from - first_byte, 0) + 1 as integer)) as content
         from import_pieces
         where import_id = :importId and first_byte < cast(:from as bigint) + :length and first_byte >= (
           select max(first_byte) from import_pieces where import_id = :importId and first_byte <= :from
         )
         order by first_byte`,
        { importId, from, length },
      );
      return Buffer.concat(rows.map(({ content }) => content)).subarray(0, length);
    },

    /** Stores the detected format of a file, and the position after its header. */
    async setFormat(importId: number, detected: DetectedFile, at: Position): Promise<void> {
      await db.raw(
        `update imports set state = 'running', worked_at = now(), format = :format, columns = cast(:columns as text[]),
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
        if (errors.length > 0)
          await trx.raw(insertErrorsSql, { importId, errors: JSON.stringify(errors), maxErrors });
        if (warnings.length > 0)
          await trx.raw(insertWarningsSql, { importId, warnings: JSON.stringify(warnings), maxErrors });
        await trx.raw(advanceSql, { importId, ...to, ...counts, warnings: warnings.length });
        return true;
      });
    },

    /** Deletes up to `limit` chunks of files of finished and deleted imports, and of uploads that stopped `idleHours` ago. */
    async removeChunks(idleHours: number, limit: number): Promise<number> {
      return await countDeleted(
        db,
        `delete from import_pieces where (import_id, first_byte) in (
           select p.import_id, p.first_byte from import_pieces p join imports i on i.id = p.import_id
           where i.state in ('completed', 'failed') or i.deleted_at is not null
             or i.state = 'uploading' and i.worked_at < now() - make_interval(hours => :idleHours)
           limit :limit for update of p skip locked)`,
        { idleHours, limit },
      );
    },

    /** Deletes up to `limit` imports without chunks, with their errors: those that finished `retentionDays` ago, deleted ones, and aborted
     *  uploads. */
    async removeOld(retentionDays: number, idleHours: number, limit: number): Promise<number> {
      return await countDeleted(
        db,
        `delete from imports where id in (
           select id from imports i
           where (finished_at < now() - make_interval(days => :retentionDays) or deleted_at is not null
             or state = 'uploading' and worked_at < now() - make_interval(hours => :idleHours))
             and not exists (select from import_pieces p where p.import_id = i.id)
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

const columns = `id, api_key_id as "apiKeyId", state, encoding, delimiter, charset, format, mapping,
  own_hosts as "ownHosts", allows_private as "allowsPrivate",
  max_url_length as "maxUrlLength", schemes, columns, ignored_columns as "ignoredColumns", bytes,
  done_bytes as "doneBytes", done_lines as "doneLines", rows, created, restored, skipped, failed, unreadable, warnings, error, created_at as "createdAt",
  finished_at as "finishedAt"`;

const insertErrorsSql = `
  insert into import_errors (import_id, line, field, reason, row, code)
  select :importId, line, field, reason, row, code
  from rows from (json_to_recordset(cast(:errors as json)) as (line bigint, field text, reason text, row text, code text))
    with ordinality as error (line, field, reason, row, code, place)
  order by place
  limit greatest(0, :maxErrors - (select count(*) from import_errors where import_id = :importId))`;

const insertWarningsSql = `
  insert into import_warnings (import_id, line, field, code, reason)
  select :importId, line, field, code, reason
  from rows from (json_to_recordset(cast(:warnings as json)) as (line bigint, field text, code text, reason text))
    with ordinality as warning (line, field, code, reason, place)
  order by place
  limit greatest(0, :maxErrors - (select count(*) from import_warnings where import_id = :importId))`;

const advanceSql = `
  update imports set state = 'running', worked_at = now(), done_bytes = :bytes, done_lines = :lines,
    rows = rows + :rows, created = created + :created, restored = restored + :restored, skipped = skipped + :skipped,
    failed = failed + :failed, unreadable = unreadable + :unreadable, warnings = warnings + :warnings
  where id = :importId`;
