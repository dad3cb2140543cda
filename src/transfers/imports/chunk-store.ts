import type { Knex } from '../../storage/postgres/postgres.ts';
import { countDeleted } from '../transfer-table.ts';

/** The files of imports, which are stored in chunks. */
export function createChunkStore(db: Knex) {
  return {
    /** Stores the chunk of an import's file at this byte. Changes nothing and resolves to false when the import was deleted. */
    async addChunk(importId: number, firstByte: number, content: Buffer): Promise<boolean> {
      const { rows } = await db.raw<{ rows: unknown[] }>(
        `with import as (
           update imports set last_progress_at = now(), bytes = bytes + cast(:length as integer)
           where id = :importId and deleted_at is null returning id
         )
         insert into import_chunks (import_id, first_byte, content) select id, cast(:firstByte as bigint), cast(:content as bytea) from import
         returning 1`,
        { importId, firstByte, content, length: content.length },
      );
      return rows.length > 0;
    },

    /** Up to `length` bytes of an import's file, from this byte. */
    async readBytes(importId: number, from: number, length: number): Promise<Buffer> {
      const { rows } = await db.raw<{ rows: { content: Buffer }[] }>(
        `select substring(content from cast(greatest(:from - first_byte, 0) + 1 as integer)) as content
         from import_chunks
         where import_id = :importId and first_byte < cast(:from as bigint) + :length and first_byte >= (
           select max(first_byte) from import_chunks where import_id = :importId and first_byte <= :from
         )
         order by first_byte`,
        { importId, from, length },
      );
      return Buffer.concat(rows.map(({ content }) => content)).subarray(0, length);
    },

    /** Deletes up to `limit` chunks of files of finished and deleted imports, and of uploads that stopped `idleHours` ago. */
    async removeChunks(idleHours: number, limit: number): Promise<number> {
      return await countDeleted(
        db,
        `delete from import_chunks where (import_id, first_byte) in (
           select p.import_id, p.first_byte from import_chunks p join imports i on i.id = p.import_id
           where i.state in ('completed', 'failed') or i.deleted_at is not null
             or i.state = 'uploading' and i.last_progress_at < now() - make_interval(hours => :idleHours)
           limit :limit for update of p skip locked)`,
        { idleHours, limit },
      );
    },
  };
}
