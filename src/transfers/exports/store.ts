import { boundedTransaction, type Knex, onlyRow } from '../../storage/postgres/postgres.ts';
import type { Owner } from '../../urls/store/owner.ts';
import { countDeleted, createTransferTable } from '../transfer-table.ts';
import type { Encoding, ExportState } from '../transfer.ts';
import type { ExportFilter, ExportKind } from './source.ts';

export interface NewExport {
  apiKeyId: number;
  kind: ExportKind;
  encoding: Encoding;
  /** The owner whose rows are exported; null for all. */
  owner: Owner;
  filter?: ExportFilter;
}

export interface Export extends NewExport {
  filter: ExportFilter;
  id: number;
  state: ExportState;
  /** The id of the last written row. */
  lastId: number;
  /** The id of the last row to write; null until the job starts. */
  upToId: number | null;
  rows: number;
  /** Size of the uncompressed file. */
  bytes: number;
  chunks: number;
  /** Why it failed. */
  error: string | null;
  createdAt: Date;
  finishedAt: Date | null;
}

/** Some rows of an export. */
export interface ExportChunk {
  /** Compressed with gzip. */
  content: Buffer;
  /** Size before compression. */
  bytes: number;
  rows: number;
  lastId: number;
}

export type ExportStore = ReturnType<typeof createExportStore>;

/** Exports and their files, which are stored in compressed chunks. */
export function createExportStore(db: Knex) {
  const { insertWithin, ...table } = createTransferTable<Export>(db, 'exports', columns);
  return {
    ...table,

    /** Creates an export when its API key has fewer than `most`, including finished ones. */
    async create(input: NewExport, most: number): Promise<Export | undefined> {
      const { apiKeyId } = input;
      return await insertWithin({ apiKeyId, isHeld: 'true', most }, async (trx) =>
        onlyRow(
          await trx.raw<{ rows: Export[] }>(
            `insert into exports (api_key_id, kind, encoding, owner, filter)
             values (:apiKeyId, :kind, :encoding, :owner, cast(:filter as jsonb))
             returning ${columns}`,
            { ...input, filter: JSON.stringify(input.filter ?? {}) },
          ),
        ),
      );
    },

    /** Chunk `n` of a file, from 0. */
    async findChunk(exportId: number, n: number): Promise<Buffer | undefined> {
      const { rows } = await db.raw<{ rows: { content: Buffer }[] }>(
        'select content from export_chunks where export_id = :exportId and number = :n',
        { exportId, n },
      );
      return rows[0]?.content;
    },

    /** Starts or resumes an export; the first call fixes its last row. */
    async begin(id: number, upToId: number): Promise<Export | undefined> {
      const { rows } = await db.raw<{ rows: Export[] }>(
        `update exports set state = 'running', last_progress_at = now(), up_to_id = coalesce(up_to_id, :upToId)
         where id = :id and state in ('waiting', 'running') and deleted_at is null returning ${columns}`,
        { id, upToId },
      );
      return rows[0];
    },

    /** Adds a chunk to the file and records its last row in one transaction. Changes nothing and resolves to false when another worker has
     *  continued after `from`, or the export is finished. */
    async addChunk(id: number, from: Pick<Export, 'chunks'>, chunk: ExportChunk): Promise<boolean> {
      return await boundedTransaction(db, async (trx) => {
        const { rows } = await trx.raw<{ rows: unknown[] }>(
          `update exports set last_progress_at = now(), last_id = :lastId, rows = rows + :rows, bytes = bytes + :bytes,
             chunks = chunks + 1
           where id = :id and chunks = :chunks and state = 'running' and deleted_at is null returning 1`,
          { id, chunks: from.chunks, lastId: chunk.lastId, rows: chunk.rows, bytes: chunk.bytes },
        );
        if (rows.length === 0) return false;
        await trx.raw('insert into export_chunks (export_id, number, content) values (:id, :n, :content)', {
          id,
          n: from.chunks,
          content: chunk.content,
        });
        return true;
      });
    },

    /** Deletes up to `limit` chunks of deleted exports, and of exports that finished `retentionDays` ago. */
    async removeChunks(retentionDays: number, limit: number): Promise<number> {
      return await countDeleted(
        db,
        `delete from export_chunks where (export_id, number) in (
           select p.export_id, p.number from export_chunks p join exports e on e.id = p.export_id
           where ${isObsolete} limit :limit for update of p skip locked)`,
        { retentionDays, limit },
      );
    },

    /** Deletes up to `limit` exports without chunks that are deleted, or finished `retentionDays` ago. */
    async removeOld(retentionDays: number, limit: number): Promise<number> {
      return await countDeleted(
        db,
        `delete from exports where id in (
           select id from exports e
           where ${isObsolete} and not exists (select from export_chunks p where p.export_id = e.id)
           limit :limit for update skip locked)`,
        { retentionDays, limit },
      );
    },
  };
}

const isObsolete = `(e.finished_at < now() - make_interval(days => :retentionDays) or e.deleted_at is not null)`;

const columns = `id, api_key_id as "apiKeyId", state, kind, encoding, owner, filter, last_id as "lastId", up_to_id as "upToId", rows, bytes,
  chunks, error, created_at as "createdAt", finished_at as "finishedAt"`;
