import type { Knex } from '../postgres/postgres.ts';
import { withoutExtension } from './migration-files.ts';

/** A migration that was applied to this database. */
export interface AppliedMigration {
  name: string;
  /** Why older code cannot work with the tables; null when it can. */
  breaksOlderCode: string | null;
}

/** The applied migrations of a database. */
export interface MigrationHistory {
  /** `missing`: the table is not in the search path. `unreadable`: the role may not read it. */
  table: 'present' | 'missing' | 'unreadable';
  /** Whether tables of Linkmill exist. */
  hasTables: boolean;
  /** In the order in which they were applied. */
  applied: AppliedMigration[];
}

/** Reads the applied migrations, also from a table of an earlier release or of knex. */
export async function readHistory(db: Knex): Promise<MigrationHistory> {
  const { rows } = await db.raw<{ rows: [{ exists: boolean; readable: boolean | null; tables: boolean }] }>(
    `select history is not null as exists, has_table_privilege(history, 'select') as readable,
       to_regclass('api_keys') is not null and to_regclass('urls') is not null as tables
     from to_regclass('knex_migrations') as history`,
  );
  const [{ exists, readable, tables }] = rows;
  if (!exists) return { table: 'missing', hasTables: tables, applied: [] };
  if (readable !== true) return { table: 'unreadable', hasTables: tables, applied: [] };
  return { table: 'present', hasTables: tables, applied: await readApplied(db) };
}

async function readApplied(db: Knex): Promise<AppliedMigration[]> {
  // As JSON, because tables of earlier releases lack the last column and tables of other programs may lack any.
  const { rows } = await db.raw<{ rows: { name: string | null; breaks: string | null }[] }>(
    `select entry ->> 'name' as name, entry ->> 'breaks_older_code' as breaks
     from (select to_jsonb(history) from knex_migrations as history) as entries (entry)
     order by (entry ->> 'id')::bigint`,
  );
  return rows.map(({ name, breaks }) => ({ name: withoutExtension(name ?? '?'), breaksOlderCode: breaks }));
}

/** Creates the table, or adds the column that earlier releases lack. The table has the layout of knex, so that databases of earlier
 *  releases keep their history. */
export async function createHistory(db: Knex): Promise<void> {
  await db.raw(`
    create table if not exists knex_migrations (
      id serial primary key, name varchar(255), batch integer, migration_time timestamptz
    )`);
  const { rows } = await db.raw<{ rows: object[] }>(
    `select 1 from pg_attribute where attrelid = to_regclass('knex_migrations') and attname = 'breaks_older_code'`,
  );
  // Only when it is missing, because the statement waits for sessions that read the table.
  if (rows.length === 0) await db.raw('alter table knex_migrations add breaks_older_code text');
}

/** Records a migration as applied, in the transaction of its statements. */
export async function addToHistory(db: Knex, { name, breaksOlderCode }: AppliedMigration): Promise<void> {
  await db.raw(
    `insert into knex_migrations (name, batch, migration_time, breaks_older_code)
     select :name, coalesce(max(batch), 0) + 1, now(), :breaksOlderCode from knex_migrations`,
    { name, breaksOlderCode },
  );
}

/** Records a migration as reverted, in the transaction of its statements. */
export async function removeFromHistory(db: Knex, name: string): Promise<void> {
  await db.raw(`delete from knex_migrations where regexp_replace(name, '[.](c|m|)[jt]s$', '') = ?`, [name]);
}
