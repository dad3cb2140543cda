import type { Knex } from '../../src/storage/postgres/postgres.ts';
import { waitUntil } from './wait-until.ts';

const waiting = `from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;

/** Resolves once at least `least` statements of this database wait for a lock. */
export async function untilLocked(db: Knex, least = 1): Promise<void> {
  await waitUntil(`${least} statements wait for a lock`, async () => {
    const { rows } = await db.raw<{ rows: object[] }>(`select ${waiting}`);
    return rows.length >= least;
  });
}

/** Waits for a blocked statement of this database, then terminates all blocked connections or cancels their statements. */
export async function endLocked(db: Knex, how: 'terminate' | 'cancel'): Promise<void> {
  await waitUntil(`a statement waits for a lock`, async () => {
    const { rows } = await db.raw<{ rows: object[] }>(`select pg_${how}_backend(pid) ${waiting}`);
    return rows.length > 0;
  });
}
