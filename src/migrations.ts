import { readdir } from 'node:fs/promises';
import pg from 'pg';
import type { Knex } from './postgres.ts';

interface Migration {
  up: (db: Knex) => Promise<void>;
  down: (db: Knex) => Promise<void>;
}

const folder = new URL('../migrations/', import.meta.url);
/** Any number that nobody else locks. */
const lockNumber = 7_261_034_155;

/** Names without an extension: the same in development (`.ts`) and in production (`.js`). */
const migrationSource = {
  async getMigrations() {
    const files = await readdir(folder);
    return files.filter((file) => /^\d{8}_\d{6}_\w+\.(ts|js)$/.test(file)).sort();
  },
  getMigrationName: (file: string) => file.replace(/\.(ts|js)$/, ''),
  getMigration: async (file: string) => (await import(new URL(file, folder).href)) as Migration,
};

/** Brings the tables up to date and resolves to the migrations that ran. Any number of processes may call it at once: one
 *  runs them, the others wait and find nothing to do. `url` must not go through PgBouncer, because the lock that
 *  makes them wait lives in the session. */
export async function migrate(db: Knex, url: string): Promise<string[]> {
  const locker = new pg.Client({ connectionString: url });
  // Its session ended, and the lock with it: the query in hand, or the next one, says so.
  locker.on('error', () => undefined);
  await locker.connect();
  try {
    await locker.query('select pg_advisory_lock($1)', [lockNumber]);
    // knex' own lock is a row that a crash leaves behind; ours is gone with its holder.
    await db.migrate.forceFreeMigrationsLock({ migrationSource });
    const [, files] = (await db.migrate.latest({ migrationSource })) as [number, string[]];
    return files.map((file) => migrationSource.getMigrationName(file));
  } finally {
    await locker.end();
  }
}

/** Takes every migration back, the latest first; all data is lost. */
export async function rollback(db: Knex): Promise<void> {
  await db.migrate.rollback({ migrationSource }, true);
}
