import { z } from 'zod';
import { wholeNumberText } from '../whole-number.ts';

const part = (description: string) => z.string().optional().describe(description);

/** Where PostgreSQL is. The parts are joined to a URL when the settings are loaded. */
const address = {
  DATABASE_URL: z
    .string()
    .describe(
      'PostgreSQL 14 or newer, the truth; through PgBouncer too: `postgres://user:password@host:5432/linkmill`. Instead of it: `DATABASE_HOST` and what follows',
    ),
  DATABASE_DIRECT_URL: z
    .string()
    .optional()
    .describe('PostgreSQL past PgBouncer, for migrations and for hearing of changes by other programs'),
  DATABASE_HOST: part('Host of PostgreSQL, or the folder of its Unix socket'),
  DATABASE_PORT: part('Port of PostgreSQL; 5432 unless set'),
  DATABASE_NAME: part('Name of the database; that of the user unless set'),
  DATABASE_USER: part('User of the database'),
  DATABASE_PASSWORD: part('Password of the user, also for a `DATABASE_URL` without one'),
  DATABASE_SSLMODE: part(
    '`disable`, `allow`, `prefer`, `require`, `verify-ca` or `verify-full`, as in libpq; `prefer` unless set, `verify-full` with `DATABASE_CA`',
  ),
  DATABASE_CA: part('CA certificate of PostgreSQL, a path or PEM text; `system`: the list of Node'),
  DATABASE_CERT: part('Client certificate for PostgreSQL, a path or PEM text'),
  DATABASE_KEY: part('Key of the client certificate, a path or PEM text'),
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
