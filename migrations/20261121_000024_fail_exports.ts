import type { Knex } from 'knex';

/** An export that can never be written fails, and says why. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    alter table exports
      add error text,
      drop constraint exports_state_check,
      add constraint exports_state_check check (state in ('waiting', 'running', 'completed', 'failed'))`);
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    delete from exports where state = 'failed';
    alter table exports
      drop error,
      drop constraint exports_state_check,
      add constraint exports_state_check check (state in ('waiting', 'running', 'completed'))`);
}
