import { readdir } from 'node:fs/promises';
import type { Knex } from '../postgres/postgres.ts';

/** One file of `migrations/`. */
export interface Migration {
  /** Brings the tables up by one version. Runs in a transaction of its own, unless `transaction` says otherwise. */
  up: (db: Knex) => Promise<void>;
  /** Takes `up` back; data that only the newer version can hold is lost. */
  down: (db: Knex) => Promise<void>;
  /** `false` for what PostgreSQL refuses in a transaction, such as `create index concurrently`. `up` and `down` must then
   *  succeed when they run again after they stopped at any statement. */
  transaction?: false;
  /** Set where code without this migration cannot work with the tables: one sentence that says why. Such code then refuses to
   *  start its work. A migration without it must let the previous release keep working. */
  breaksOlderCode?: string;
}

/** The migrations of this version. */
export const ownMigrations: URL = new URL('../../../migrations/', import.meta.url);

/** Names without their extension, which differs between the sources (`.ts`) and the build (`.js`). */
export const withoutExtension = (file: string): string => file.replace(/\.[cm]?[jt]s$/, '');

/** The names of the migrations in a folder, in the order in which they run. */
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
