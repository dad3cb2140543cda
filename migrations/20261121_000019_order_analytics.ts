import type { Knex } from 'knex';

/** Which transaction has counted a click: who has seen all transactions before one has missed none, while time alone would not
 *  tell, as clicks are counted in no order. Clicks of before have none. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    alter table url_analytics add applied_in xid8;
    alter table url_analytics alter applied_in set default pg_current_xact_id();
    create index url_analytics_applied_in on url_analytics (applied_in)`);
}

export async function down(db: Knex): Promise<void> {
  await db.raw('alter table url_analytics drop applied_in');
}
