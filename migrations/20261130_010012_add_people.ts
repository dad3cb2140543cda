import type { Knex } from 'knex';

/** People who sign in with OpenID Connect: API keys without a secret, which their issuer and subject identify. Their sessions also end at
 *  `ends_at`, so that the provider is asked again. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    alter table api_keys
      alter column public_part drop not null,
      alter column key_hash drop not null,
      add column issuer text collate "C",
      add column subject text collate "C",
      add constraint api_keys_secret_or_person check (
        num_nonnulls(public_part, key_hash) = 2 and num_nonnulls(issuer, subject) = 0
        or num_nonnulls(issuer, subject) = 2
          and num_nonnulls(public_part, key_hash, previous_public_part, previous_key_hash) = 0
      ) not valid;
    alter table sessions add column ends_at timestamptz`);
}

/** Revokes the keys of people, which the older version would take for keys with a secret. */
export async function down(db: Knex): Promise<void> {
  await db.raw(`
    alter table sessions drop column ends_at;
    alter table api_keys drop constraint api_keys_secret_or_person;
    update api_keys set public_part = 'person-' || id, key_hash = '', revoked_at = coalesce(revoked_at, now())
      where subject is not null;
    alter table api_keys
      drop column issuer,
      drop column subject,
      alter column public_part set not null,
      alter column key_hash set not null`);
}
