import type { Knex } from '../../src/storage/postgres/postgres.ts';
import { waitUntil } from './wait-until.ts';

const waiting = `from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;

/** Resolves once at least `least` statements of this database wait for a lock. */
export async function untilLocked(db: Knex, least = 1): Promise<void> {
  await waitUntil(`${least} wait for a lock`, async () => {
    const { rows } = await db.raw<{ rows: object[] }>(`select ${waiting}`);
    return rows.length >= least;
  });
}

/** Terminates the connections of this database that wait for a lock, or cancels their statements, once one does. */
export async function endLocked(db: Knex, how: 'terminate' | 'cancel'): Promise<void> {
  await waitUntil(`one waits for a lock, to ${how} it`, async () => {
    const { rows } = await db.raw<{ rows: object[] }>(`select pg_${how}_backend(pid) ${waiting}`);
    return rows.length > 0;
  });
}
