import type { Knex } from 'knex';
import { createIndexConcurrently, dropIndexConcurrently } from '../src/storage/schema/concurrent-index.ts';

/** At most one API key per person, and a look-up by issuer and subject. */
export const transaction = false;

const name = 'api_keys_person';

export async function up(db: Knex): Promise<void> {
  await createIndexConcurrently(db, { name, definition: 'on api_keys (issuer, subject)', unique: true });
  await db.raw('alter table api_keys validate constraint api_keys_secret_or_person');
}

export async function down(db: Knex): Promise<void> {
  await dropIndexConcurrently(db, name);
}
