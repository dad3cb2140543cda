import { readdir } from 'node:fs/promises';
import type { Knex } from '../postgres/postgres.ts';

/** A file of `migrations/`. CONTRIBUTING.md says how to add one and try it. */
export interface Migration {
  /** Applies the migration, in its own transaction unless `transaction` is false. */
  up: (db: Knex) => Promise<void>;
  /** Reverts `up`; data that only the newer version can store is lost. */
  down: (db: Knex) => Promise<void>;
  /** `false` for statements that cannot run in a transaction, such as `create index concurrently`. Then `up` and `down` must be
   *  idempotent, also after an interruption at any statement. */
  transaction?: false;
  /** Why older code cannot work with the tables, in one sentence; that code then reports the database as incompatible. A migration without
   *  it must be compatible with the previous release. */
  breaksOlderCode?: string;
}

/** The migrations of this version. */
export const ownMigrations: URL = new URL('../../../migrations/', import.meta.url);

/** Removes the extension of a file, which differs between the sources (`.ts`) and the build (`.js`). */
export const withoutExtension = (file: string): string => file.replace(/\.[cm]?[jt]s$/, '');

/** Lists the names of the migrations in a folder, in their order. */
export async function listMigrations(folder: URL): Promise<string[]> {
  const files = await readdir(folder);
  return files
    .filter((file) => /^\d{8}_\d{6}_\w+\.(ts|js)$/.test(file))
    .map(withoutExtension)
    .sort();
}

/** Loads one migration by its name. */
export async function loadMigration(folder: URL, name: string): Promise<Migration> {
  const files = await readdir(folder);
  const file = files.find((one) => /\.(ts|js)$/.test(one) && withoutExtension(one) === name);
  if (file === undefined) throw new Error(`this version has no migration ${name}`);
  return (await import(new URL(file, folder).href)) as Migration;
}
