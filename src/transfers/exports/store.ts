import { aliased } from '../../storage/postgres/columns.ts';
import { boundedTransaction, type Knex, onlyRow } from '../../storage/postgres/postgres.ts';
import type { Owner } from '../../urls/store/owner.ts';
import { countDeleted, createTransferTable, type TransferRow } from '../transfer-table.ts';
import type { Encoding, ExportState } from '../transfer.ts';
import type { ExportFilter, ExportKind } from './source.ts';

declare module 'knex/types/tables.js' {
  interface Tables {
    exports: TransferRow & {
      kind: ExportKind;
      owner: Owner;
      filter: ExportFilter;
      last_id: number;
      up_to_id: number | null;
      chunks: number;
    };
    export_chunks: { export_id: number; number: number; content: Buffer };
  }
}

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
      const { apiKeyId, kind, encoding, owner, filter = {} } = input;
      return await insertWithin({ apiKeyId, isHeld: 'true', most }, async (trx) => {
        const rows = await trx('exports')
          .insert({ api_key_id: apiKeyId, kind, encoding, owner, filter })
          .returning<Export[]>(aliased(columns));
        return onlyRow({ rows });
      });
    },

    /** Chunk `n` of a file, from 0. */
    async findChunk(exportId: number, n: number): Promise<Buffer | undefined> {
      const chunk = await db('export_chunks').where({ export_id: exportId, number: n }).first('content');
      return chunk?.content;
    },

    /** Starts or resumes an export; the first call fixes its last row. */
    async begin(id: number, upToId: number): Promise<Export | undefined> {
      const [begun] = await db('exports')
        .where({ id })
        .whereIn('state', ['waiting', 'running'])
        .whereNull('deleted_at')
        .update({
          state: 'running',
          last_progress_at: db.fn.now(),
          up_to_id: db.raw('coalesce(up_to_id, ?)', [upToId]),
        })
        .returning<Export[]>(aliased(columns));
      return begun;
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
        await trx('export_chunks').insert({ export_id: id, number: from.chunks, content: chunk.content });
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

const columns = {
  id: 'id',
  apiKeyId: 'api_key_id',
  state: 'state',
  kind: 'kind',
  encoding: 'encoding',
  owner: 'owner',
  filter: 'filter',
  lastId: 'last_id',
  upToId: 'up_to_id',
  rows: 'rows',
  bytes: 'bytes',
  chunks: 'chunks',
  error: 'error',
  createdAt: 'created_at',
  finishedAt: 'finished_at',
};
