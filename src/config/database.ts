import { z } from 'zod';
import { wholeNumberText } from '../validation/integer.ts';

const part = (description: string) => z.string().optional().describe(description);

/** Address of PostgreSQL. The parts are joined to a URL when the settings are loaded. */
const address = {
  DATABASE_URL: z
    .string()
    .describe(
      'PostgreSQL 14 or newer, directly or through PgBouncer: `postgres://user:password@host:5432/linkmill`, or `postgres://user:password@host1,host2/linkmill` for a primary and its standbys; or set `DATABASE_HOST` and the settings below it',
    ),
  DATABASE_DIRECT_URL: z
    .string()
    .optional()
    .describe('PostgreSQL without PgBouncer, for migrations and for notifications of external writes'),
  DATABASE_HOST: part('Host of PostgreSQL, or the folder of its Unix socket'),
  DATABASE_PORT: part('Port of PostgreSQL; default 5432'),
  DATABASE_NAME: part('Name of the database; default: the name of the user'),
  DATABASE_USER: part('User of the database'),
  DATABASE_PASSWORD: part('Password of the user, also for a `DATABASE_URL` without one'),
  DATABASE_SSLMODE: part(
    '`disable`, `allow`, `prefer`, `require`, `verify-ca` or `verify-full`, as in libpq; default `PGSSLMODE`, else `prefer`, or `verify-full` with `DATABASE_CA`',
  ),
  DATABASE_CA: part('CA certificate of PostgreSQL, a path or PEM text; `system` is the list of Node'),
  DATABASE_CERT: part('Client certificate for PostgreSQL, a path or PEM text'),
  DATABASE_KEY: part('Key of the client certificate, a path or PEM text'),
};

/** Settings of PostgreSQL. */
export const database = {
  ...address,
  DATABASE_REPLICA_URL: z
    .string()
    .optional()
    .describe(
      'Standbys of `DATABASE_URL` that serve lists, search, analytics and exports, in its form; of several hosts, one that is a standby. Default: the primary serves them',
    ),
  DATABASE_POOL_MAX: wholeNumberText(1, 1_000)
    .default(10)
    .describe(
      'Connections of the main pool to PostgreSQL, per process; a web process opens up to 10 more (clicks 2, searches 2, analytics 2, click events 2, blocklist 1, notifications 1), a worker 2 (flush watchdog, notifications); with `DATABASE_REPLICA_URL` also up to 6 to a standby, a worker 4',
    ),
};

/** Settings of the commands that need PostgreSQL alone (`src/cli/api-key.ts`, `src/cli/reconcile.ts`). */
export const databaseSettings = z.object(address);

/** Settings of the release step (`src/cli/migrate.ts`). */
export const migrateSettings = databaseSettings.extend({
  MIGRATION_WAIT_SECONDS: wholeNumberText(1, 86_400)
    .default(600)
    .describe(
      'Time that `npm run migrate` waits in total for locks of other sessions and for another run; then it exits with 1',
    ),
});
