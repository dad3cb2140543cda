import { isLockTimeout } from '../storage/postgres/errors.ts';
import type { DatabaseEpoch } from './epoch-store.ts';

/** How long a new epoch that was not planned is reported as a condition. */
const reportSeconds = 600;

/** The reason of `database_epoch_unknown`: why PostgreSQL answers, but not which epoch it has. */
export function explainUnread(error: unknown): string {
  const unknown = 'The epoch of the database cannot be read, so a restore or failover would not be noticed.';
  return isLockTimeout(error)
    ? `${unknown} The database was restored, copied or promoted, and another session wrote to it in a transaction that it does not end: ` +
        'end that session (pg_terminate_backend). Until then changes of short URLs are refused.'
    : `${unknown} Run "npm run migrate", and grant the role of DATABASE_URL execute on the function read_database_epoch.`;
}

/** The reason of `database_epoch_changed`; undefined where the epoch is no news. */
export function explainChange({ number, reason, ageSeconds }: DatabaseEpoch): string | undefined {
  // `npm run restore-complete` writes this reason: its operator knows.
  const isPlanned = reason === 'restored';
  if (number === 1 || ageSeconds >= reportSeconds || isPlanned) return undefined;
  return (
    `The database was ${reason === 'created' ? 'restored' : reason}: caches were emptied, and clicks that may belong to ` +
    'lost short URLs are in the table click_quarantine. Run "npm run reconcile" to see what is missing.'
  );
}
