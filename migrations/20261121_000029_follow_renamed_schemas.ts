import type { Knex } from 'knex';

/** Trigger functions find the tables in the schema of the table that fired, whatever that is called by now: a renamed schema made
 *  every change of a short URL fail. Their helpers run as the function that calls them. */
export async function up(db: Knex): Promise<void> {
  for (const { name, source } of await findTriggerFunctions(db))
    await replaceFunction(db, name, source.replace(/\bbegin\n/, `begin\n${enterSchema}`), 'pg_catalog');
  await db.raw(`
    alter function notify_url_changes(text[], bigint[]) security invoker;
    alter function notify_url_changes(text[], bigint[]) reset search_path;
    alter function remember_removed_urls(text[], bigint[]) security invoker;
    alter function remember_removed_urls(text[], bigint[]) reset search_path`);
}

export async function down(db: Knex): Promise<void> {
  const { rows } = await db.raw<{ rows: [{ schema: string }] }>(
    'select quote_ident(current_schema()) as schema',
  );
  const [{ schema }] = rows;
  for (const { name, source } of await findTriggerFunctions(db))
    await replaceFunction(db, name, source.replace(enterSchema, ''), schema);
  await db.raw(`
    alter function notify_url_changes(text[], bigint[]) security definer set search_path = ${schema}, pg_temp;
    alter function remember_removed_urls(text[], bigint[]) security definer set search_path = ${schema}, pg_temp`);
}

/** The end of the function undoes it. */
const enterSchema = `        perform set_config('search_path', quote_ident(tg_table_schema) || ', pg_temp', true);\n`;

/** Those that run with the rights of the tables' owner, in a fixed search path. */
async function findTriggerFunctions(db: Knex) {
  const { rows } = await db.raw<{ rows: { name: string; source: string }[] }>(
    `select quote_ident(proname) as name, prosrc as source from pg_proc
     where pronamespace = quote_ident(current_schema())::regnamespace and prorettype = 'trigger'::regtype
       and prosecdef and proname in ('mark_url_change', 'announce_inserted_urls', 'announce_updated_urls',
         'announce_renamed_url', 'announce_deleted_urls', 'announce_truncated_urls', 'add_removed_clicks',
         'book_removed_clicks', 'book_truncated_clicks', 'note_analytics_of_removed_urls', 'truncate_analytics',
         'count_blocked_hosts_change')
     order by proname`,
  );
  return rows;
}

async function replaceFunction(db: Knex, name: string, source: string, searchPath: string): Promise<void> {
  // A question mark would be a binding.
  const escaped = source.replaceAll('?', '\\?');
  await db.raw(
    `create or replace function ${name}() returns trigger language plpgsql security definer
     set search_path = ${searchPath}, pg_temp as $linkmill$${escaped}$linkmill$`,
  );
}
