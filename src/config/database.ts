import { z } from 'zod';
import { wholeNumberText } from '../whole-number.ts';
import { url } from './values.ts';

const postgresUrl = url(/^postgres(ql)?$/, 'postgres://user:password@host:5432/linkmill');

/** Where PostgreSQL is. */
const address = {
  DATABASE_URL: postgresUrl.describe('PostgreSQL 14 or newer, the truth; through PgBouncer too'),
  DATABASE_DIRECT_URL: postgresUrl
    .optional()
    .describe('PostgreSQL past PgBouncer, for migrations and for hearing of changes by other programs'),
};

/** Settings of PostgreSQL. */
export const database = {
  ...address,
  DATABASE_POOL_MAX: wholeNumberText(1, 1_000)
    .default(10)
    .describe(
      'Connections to PostgreSQL per process; a web process takes two more for clicks, two for searches, two for analytics, two for single clicks and one for blocked hosts, a worker for its flush guard, and each one to hear of changes',
    ),
};

/** Settings of the commands that need PostgreSQL alone (`src/api-key.ts`, `src/reconcile.ts`). */
export const databaseSettings = z.object(address);

/** Settings of the release step (`src/migrate.ts`). */
export const migrateSettings = databaseSettings.extend({
  MIGRATION_WAIT_SECONDS: wholeNumberText(1, 86_400)
    .default(600)
    .describe(
      'How long `npm run migrate` waits in all for locks of other sessions and for another run of itself, before it ends with 1',
    ),
});
