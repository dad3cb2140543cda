import type { Knex } from 'knex';

/** Short codes of up to 64 characters of any script are announced: as many in one notification as 7,000 bytes hold. */
export async function up(db: Knex): Promise<void> {
  await replace(
    db,
    `select string_agg(version || ':' || code, ' ')
         from (
           select code, version,
             sum(octet_length(code) + 18) over (order by place) / 7000 as message
           from unnest(codes, versions) with ordinality as changed (code, version, place)
           where code ~ '^[^[:cntrl:][:space:]/%#]{1,64}$'
         ) as parts
         group by message`,
  );
}

export async function down(db: Knex): Promise<void> {
  await replace(
    db,
    `select string_agg(version || ':' || code, ' ')
         from unnest(codes, versions) with ordinality as changed (code, version, place)
         where code ~ '^[A-Za-z0-9_-]{1,32}$'
         group by (place - 1) / 150`,
  );
}

/** Of more than 10,000 short URLs it needs the first 10,001. */
async function replace(db: Knex, messages: string): Promise<void> {
  await db.raw(`
    create or replace function notify_url_changes(codes text[], versions bigint[]) returns void language plpgsql as $$
      begin
        if cardinality(codes) > 10000 then
          perform pg_notify('linkmill_urls', '*');
        else
          perform pg_notify('linkmill_urls', message.text) from (${messages}) as message (text);
        end if;
      end $$`);
}
