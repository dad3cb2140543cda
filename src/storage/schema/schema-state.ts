import type { Knex } from '../postgres/postgres.ts';
import { listMigrations, ownMigrations } from './migration-files.ts';
import { type AppliedMigration, type MigrationHistory, readHistory } from './migration-history.ts';

/** The first migrations of earlier checkouts, whose migrations were replaced by those of this version. */
const replacedMigrations = ['20261121_000001_create_api_keys', '20261130_000001_create_api_keys'];

/** How the tables of a database relate to this version of the code. `reason` is one sentence with the cause and the remedy, without a
 *  host, user or statement. */
export type SchemaState =
  /** All migrations of this version are applied. `warning`: also migrations of a compatible newer version. */
  | { kind: 'current'; warning?: string }
  /** Migrations of this version are missing. */
  | { kind: 'outdated'; reason: string }
  /** The tables belong to an incompatible newer version or to another program. */
  | { kind: 'incompatible'; reason: string }
  /** CODES_IGNORE_CASE does not match how the database stores short codes. */
  | { kind: 'code_case'; reason: string }
  /** The applied migrations cannot be read. */
  | { kind: 'unknown'; reason: string };

/** Compares the applied migrations of a database with those of this version, or of `folder`. Throws when PostgreSQL is unavailable. */
export async function readSchemaState(db: Knex, folder = ownMigrations): Promise<SchemaState> {
  const [history, known] = await Promise.all([readHistory(db), listMigrations(folder)]);
  return compare(history, known);
}

/** The state of a database with this history for code with the migrations `known`. */
export function compare({ table, hasTables, applied }: MigrationHistory, known: string[]): SchemaState {
  if (table === 'unreadable') {
    const reason =
      'The role may not read the table knex_migrations, which lists the applied migrations: grant it SELECT on this table.';
    return { kind: 'unknown', reason };
  }
  if (table === 'missing' && hasTables) {
    const reason =
      'The table knex_migrations, which lists the applied migrations, is missing: restore it from a backup.';
    return { kind: 'unknown', reason };
  }
  const names = new Set(applied.map(({ name }) => name));
  const missing = known.filter((name) => !names.has(name));
  const unknown = applied.filter(({ name }) => !known.includes(name));
  if (replacedMigrations.some((name) => names.has(name))) {
    const reason =
      'An earlier checkout of Linkmill created this database, and its migrations have been replaced since. The database cannot be upgraded: set DATABASE_URL to a new one.';
    return { kind: 'incompatible', reason };
  }
  if (applied.length > 0 && unknown.length === applied.length) {
    const reason =
      'The table knex_migrations belongs to another program: give Linkmill a database or a schema of its own.';
    return { kind: 'incompatible', reason };
  }
  const breaking = unknown.filter(({ breaksOlderCode }) => breaksOlderCode !== null);
  if (breaking.length > 0) return { kind: 'incompatible', reason: describeBreaking(breaking) };
  if (missing.length > 0) return { kind: 'outdated', reason: describeMissing(missing, known) };
  return unknown.length > 0 ? { kind: 'current', warning: describeNewer(unknown) } : { kind: 'current' };
}

function describeMissing(missing: string[], known: string[]): string {
  if (missing.length === known.length) {
    return 'The database has no tables of Linkmill: run "npm run migrate", or correct DATABASE_URL.';
  }
  const count = missing.length === 1 ? 'One migration is' : `${missing.length} migrations are`;
  return `${count} missing, the first is ${missing[0]}: run "npm run migrate".`;
}

const listNames = (migrations: AppliedMigration[]) => migrations.map(({ name }) => name).join(', ');

function describeBreaking(migrations: AppliedMigration[]): string {
  const causes = migrations.map(({ name, breaksOlderCode }) => `${name} (${breaksOlderCode})`).join(', ');
  return `A newer version migrated this database, and this version is not compatible with it: ${causes}. Start the newer version, or restore a backup from before the upgrade.`;
}

function describeNewer(migrations: AppliedMigration[]): string {
  return `This database has migrations of a newer version: ${listNames(migrations)}. This version is compatible with them.`;
}
