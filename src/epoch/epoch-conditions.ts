import { isLockTimeout } from '../storage/postgres/errors.ts';
import type { DatabaseEpoch } from './epoch-store.ts';

/** How long an unplanned new epoch is reported as a condition. */
const reportSeconds = 600;

/** Explains `database_epoch_unknown`: PostgreSQL answers, but its epoch cannot be read. */
export function explainUnreadable(error: unknown): string {
  const problem = 'The epoch of the database cannot be read, so a restore or failover would go undetected.';
  return isLockTimeout(error)
    ? `${problem} The database was restored, copied or promoted, and another session has an open transaction with writes: ` +
        'terminate that session (pg_terminate_backend). Until then changes of short URLs are rejected.'
    : `${problem} Run "npm run migrate", and grant the role of DATABASE_URL execute on the function read_database_epoch.`;
}

/** Explains `database_epoch_changed`; undefined when the epoch is old or planned. */
export function explainChange({ number, reason, ageSeconds }: DatabaseEpoch): string | undefined {
  // Set by `npm run restore-complete`, so the operator knows about it.
  const isPlanned = reason === 'restored';
  if (number === 1 || ageSeconds >= reportSeconds || isPlanned) return undefined;
  return (
    `The database was ${reason === 'created' ? 'restored' : reason}: caches were cleared, and clicks that may belong to ` +
    'lost short URLs are in the table click_dead_letters. Run "npm run reconcile" to list the missing clicks.'
  );
}
