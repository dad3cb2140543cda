import { migrateSettings } from '../config/database.ts';
import { loadConfigOrExit } from '../config/load.ts';
import { openPostgres } from '../storage/postgres/postgres.ts';
import { migrate } from '../storage/schema/migrations.ts';
import { readArguments, rejectArguments } from './command-line.ts';

/** `npm run migrate`, the release step: brings the tables up to date, then ends. Exit code 0 when they are, 1 when not. */

/** A statement may take this long: building an index on a large table takes hours. */
const queryTimeoutMs = 24 * 3_600_000;

const usage = `Usage: npm run migrate
  Brings the tables of DATABASE_URL (or of DATABASE_DIRECT_URL, if set) up to date; changes nothing if they are.
  Waits for locks of other sessions, for MIGRATION_WAIT_SECONDS at most. Exit code 0 when the tables are up to date, 1 when not.
`;

const say = (line: string) => void process.stderr.write(`${line}\n`);
readArguments(usage, rejectArguments);
const config = loadConfigOrExit(migrateSettings);
const url = config.DATABASE_DIRECT_URL ?? config.DATABASE_URL;
const db = openPostgres({ url, poolMax: 3, queryTimeoutMs, name: 'migrate' });
try {
  const ran = await migrate(db, { waitMs: config.MIGRATION_WAIT_SECONDS * 1_000, report: say });
  process.stdout.write(ran.length > 0 ? `Migrated: ${ran.join(', ')}\n` : 'Nothing to migrate.\n');
} catch (error) {
  say(`Migration failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  await db.destroy();
}
