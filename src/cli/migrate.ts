import { migrateSettings } from '../config/database.ts';
import { loadConfigOrExit } from '../config/load.ts';
import { openPostgres } from '../storage/postgres/postgres.ts';
import { migrate } from '../storage/schema/migrations.ts';
import { readArguments, rejectArguments } from './command-line.ts';

/** `npm run migrate`, the release step: applies the missing migrations. Exit code 0 when the tables are up to date, else 1. */

/** Building an index on a large table takes hours. */
const queryTimeoutMs = 24 * 3_600_000;

const usage = `Usage: npm run migrate
  Applies the missing migrations to DATABASE_URL, or to DATABASE_DIRECT_URL if it is set.
  Waits for locks of other sessions, at most MIGRATION_WAIT_SECONDS. Exit code 0 when the tables are up to date, else 1.
`;

const print = (line: string) => void process.stderr.write(`${line}\n`);
readArguments(usage, rejectArguments);
const config = loadConfigOrExit(migrateSettings);
const url = config.DATABASE_DIRECT_URL ?? config.DATABASE_URL;
const db = openPostgres({ url, poolMax: 3, queryTimeoutMs, name: 'migrate' });
try {
  const ran = await migrate(db, { waitMs: config.MIGRATION_WAIT_SECONDS * 1_000, report: print });
  process.stdout.write(ran.length > 0 ? `Migrated: ${ran.join(', ')}\n` : 'Nothing to migrate.\n');
} catch (error) {
  print(`Migration failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  await db.destroy();
}
