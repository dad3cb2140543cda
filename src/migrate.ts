import { databaseSettings } from './config/database.ts';
import { loadConfigOrExit } from './config/load.ts';
import { migrate } from './migrations.ts';
import { openPostgres } from './postgres.ts';

/** `npm run migrate`, the release step: brings the tables up to date, then ends. */
const queryTimeoutMs = 600_000;

const config = loadConfigOrExit(databaseSettings);
const url = config.DATABASE_DIRECT_URL ?? config.DATABASE_URL;
const db = openPostgres({ url, poolMax: 2, queryTimeoutMs, name: 'migrate' });
try {
  const ran = await migrate(db, url);
  process.stdout.write(ran.length > 0 ? `Migrated: ${ran.join(', ')}\n` : 'Nothing to migrate.\n');
} catch (error) {
  process.stderr.write(`Migration failed: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  await db.destroy();
}
