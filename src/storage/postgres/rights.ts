import { type Knex, onlyRow } from './postgres.ts';

/** The rights that the role of a web or worker process needs on each table: select, insert, update, delete. */
const needed: Readonly<Record<string, string>> = {
  analytics_removals: 'sd',
  analytics_segments: 'siud',
  analytics_state: 'su',
  api_keys: 'siu',
  blocked_hosts: 'sid',
  blocked_hosts_version: 's',
  click_ledger_totals: 'su',
  click_out_of_order_batches: 'sid',
  click_producers: 'siud',
  click_dead_letters: 'si',
  database_epochs: 's',
  export_chunks: 'sid',
  exports: 'siud',
  idempotency_keys: 'sid',
  import_errors: 'si',
  import_chunks: 'sid',
  import_warnings: 'si',
  imported_clicks: 'su',
  imports: 'siud',
  key_blocks: 'si',
  key_generator: 'su',
  reports: 'siu',
  reserved_keys: 'sid',
  returned_keys: 'sid',
  sessions: 'siud',
  sign_in_tokens: 'sid',
  unknown_codes_daily: 'siud',
  url_aliases: 'sid',
  url_analytics: 'siud',
  url_analytics_other_days: 'sd',
  url_bots_by_day: 's',
  url_clicks_by_day: 's',
  url_clicks_daily: 'siud',
  url_clicks_hourly: 'siud',
  url_clicks_quarter_hourly: 's',
  url_leaders: 'siud',
  url_pending_clicks: 'siud',
  url_removals: 'sid',
  url_stats: 'siu',
  url_summaries: 'siud',
  url_summary_parts: 'siud',
  url_summary_pass: 'siu',
  url_usage: 'siu',
  url_visitors_daily: 'si',
  urls: 'siud',
  visitor_salts: 'sid',
};

const rightNames = { s: 'select', i: 'insert', u: 'update', d: 'delete' } as const;

const rights = Object.entries(needed).flatMap(([table, letters]) =>
  Array.from(letters, (letter) => ({ table, right: rightNames[letter as keyof typeof rightNames] })),
);

/** What the role of a connection lacks. */
export interface MissingRights {
  /** Tables that do not exist, or are in a schema that the role may not use or does not search. */
  tables: string[];
  /** Such as "delete on urls", or bypassrls where row level security applies to the role. */
  rights: string[];
}

/** Whether the role may create and drop partitions of the analytics: it owns the table and may create tables in its schema. */
export async function mayChangePartitions(db: Knex): Promise<boolean> {
  const { rows } = await db.raw<{ rows: { may: boolean }[] }>(
    `select pg_has_role(relowner, 'usage') and has_schema_privilege(relnamespace, 'create') as may
     from pg_class where oid = to_regclass('url_analytics')`,
  );
  // A missing table is reported elsewhere.
  return rows[0]?.may ?? true;
}

/** Finds the tables and rights that the role lacks; a right on some columns counts as the right. */
export async function findMissingRights(db: Knex): Promise<MissingRights> {
  const result = await db.raw<{ rows: MissingRights[] }>(
    `with needed as (
       select name, right_name, to_regclass(quote_ident(name)) as found
       from unnest(cast(:tables as text[]), cast(:rights as text[])) as needed (name, right_name)
     ), missing as (
       select right_name || ' on ' || name as grant from needed
       where found is not null and not case right_name
         when 'delete' then has_table_privilege(found, right_name)
         else has_any_column_privilege(found, right_name)
       end
       union all
       select 'usage on sequence url_versions'
       where to_regclass('url_versions') is not null and not has_sequence_privilege('url_versions', 'usage')
       union all
       select distinct 'bypassrls, since row level security hides rows of ' || name from needed
       where found is not null and row_security_active(found)
     )
     select array(select distinct name from needed where found is null order by 1) as tables,
            array(select missing.grant from missing order by 1) as rights`,
    { tables: rights.map(({ table }) => table), rights: rights.map(({ right }) => right) },
  );
  return onlyRow(result);
}
