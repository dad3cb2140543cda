-- The schema that the migrations create, for reading. The folder migrations/ explains each table.
-- Made by: npm run schema

create sequence url_versions as bigint increment by 2;

create type click_dimension as enum ('country', 'referrer', 'browser', 'os', 'device');

create table analytics_removals (
  url_id bigint not null,
  constraint analytics_removals_pkey PRIMARY KEY (url_id)
);

create table analytics_segments (
  segment integer not null,
  opened_at timestamp with time zone not null default now(),
  clicks_before bigint not null,
  first_at timestamp with time zone not null default 'infinity'::timestamp with time zone,
  constraint analytics_segments_pkey PRIMARY KEY (segment)
) with (fillfactor=50);

create table analytics_state (
  only_row boolean not null default true,
  events_since timestamp with time zone not null default '-infinity'::timestamp with time zone,
  constraint analytics_state_pkey PRIMARY KEY (only_row),
  constraint analytics_state_only_row_check CHECK (only_row)
);

create table api_keys (
  id bigint generated always as identity,
  name text not null,
  public_part text collate "C",
  key_hash bytea,
  created_at timestamp with time zone not null default now(),
  revoked_at timestamp with time zone,
  scopes text[] not null,
  own_urls_only boolean not null default false,
  expires_at timestamp with time zone,
  last_used_at timestamp with time zone,
  rotated_at timestamp with time zone,
  previous_public_part text collate "C",
  previous_key_hash bytea,
  previous_until timestamp with time zone,
  issuer text collate "C",
  subject text collate "C",
  constraint api_keys_pkey PRIMARY KEY (id),
  constraint api_keys_previous_public_part_key UNIQUE (previous_public_part),
  constraint api_keys_public_part_key UNIQUE (public_part),
  constraint api_keys_own_urls_only CHECK (((NOT own_urls_only) OR (NOT (scopes && '{admin,jobs:run}'::text[])))),
  constraint api_keys_secret_or_person CHECK ((((num_nonnulls(public_part, key_hash) = 2) AND (num_nonnulls(issuer, subject) = 0)) OR ((num_nonnulls(issuer, subject) = 2) AND (num_nonnulls(public_part, key_hash, previous_public_part, previous_key_hash) = 0))))
);
CREATE UNIQUE INDEX api_keys_person ON api_keys USING btree (issuer, subject);

create table blocked_hosts (
  host text collate "C" not null,
  reason text,
  created_at timestamp with time zone not null default now(),
  created_by bigint,
  constraint blocked_hosts_pkey PRIMARY KEY (host),
  constraint blocked_hosts_created_by_fkey FOREIGN KEY (created_by) REFERENCES api_keys(id),
  constraint blocked_hosts_host_format CHECK (((length(host) <= 253) AND (host ~ '^([a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:]+\])$'::text)))
);

create table blocked_hosts_version (
  version bigint not null
);

create table click_dead_letters (
  id bigint generated always as identity,
  source text not null,
  reason text not null,
  payload text not null,
  created_at timestamp with time zone not null default now(),
  constraint click_dead_letters_pkey PRIMARY KEY (id),
  constraint click_dead_letters_source_key UNIQUE (source)
);

create table click_ledger_totals (
  only_row boolean not null default true,
  removed_accepted bigint not null default 0,
  removed_clicks bigint not null default 0,
  purged_clicks bigint not null default 0,
  producers_removed_through timestamp with time zone,
  constraint click_ledger_totals_pkey PRIMARY KEY (only_row),
  constraint click_ledger_totals_only_row_check CHECK (only_row)
);

create table click_out_of_order_batches (
  producer uuid not null,
  seq bigint not null,
  constraint click_out_of_order_batches_pkey PRIMARY KEY (producer, seq),
  constraint click_out_of_order_batches_producer_fkey FOREIGN KEY (producer) REFERENCES click_producers(producer) ON DELETE CASCADE
);

create table click_producers (
  producer uuid not null,
  applied_through bigint not null default 0,
  batches bigint not null default 0,
  clicks bigint not null default 0,
  first_applied_at timestamp with time zone not null default now(),
  last_applied_at timestamp with time zone not null default now(),
  accepted bigint not null default 0,
  reported_at timestamp with time zone,
  constraint click_producers_pkey PRIMARY KEY (producer)
) with (fillfactor=70);

create table database_epoch_fingerprints (
  number bigint not null,
  fingerprint text not null,
  constraint database_epoch_fingerprints_pkey PRIMARY KEY (number),
  constraint database_epoch_fingerprints_number_fkey FOREIGN KEY (number) REFERENCES database_epochs(number) ON DELETE CASCADE
);

create table database_epochs (
  number bigint not null,
  epoch uuid not null default gen_random_uuid(),
  reason text not null,
  began_at timestamp with time zone not null default now(),
  version_floor bigint not null,
  url_id_floor bigint not null,
  constraint database_epochs_pkey PRIMARY KEY (number),
  constraint database_epochs_epoch_key UNIQUE (epoch)
);

create table export_chunks (
  export_id bigint not null,
  number bigint not null,
  content bytea not null,
  constraint export_chunks_pkey PRIMARY KEY (export_id, number),
  constraint export_chunks_export_id_fkey FOREIGN KEY (export_id) REFERENCES exports(id) ON DELETE CASCADE
);

create table exports (
  id bigint generated always as identity,
  api_key_id bigint not null,
  state text not null default 'waiting'::text,
  kind text not null,
  encoding text not null,
  owner bigint,
  last_id bigint not null default 0,
  up_to_id bigint,
  rows bigint not null default 0,
  bytes bigint not null default 0,
  chunks bigint not null default 0,
  created_at timestamp with time zone not null default now(),
  last_progress_at timestamp with time zone not null default now(),
  finished_at timestamp with time zone,
  deleted_at timestamp with time zone,
  filter jsonb not null default '{}'::jsonb,
  error text,
  constraint exports_pkey PRIMARY KEY (id),
  constraint exports_api_key_id_fkey FOREIGN KEY (api_key_id) REFERENCES api_keys(id),
  constraint exports_encoding_check CHECK ((encoding = ANY (ARRAY['csv'::text, 'ndjson'::text]))),
  constraint exports_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'running'::text, 'completed'::text, 'failed'::text])))
);
CREATE INDEX exports_unfinished ON exports USING btree (id) WHERE (state = ANY (ARRAY['waiting'::text, 'running'::text]));

create table idempotency_keys (
  api_key_id bigint not null,
  key text collate "C" not null,
  item integer not null,
  request_hash bytea not null,
  result jsonb not null,
  created_at timestamp with time zone not null default now(),
  constraint idempotency_keys_pkey PRIMARY KEY (api_key_id, key, item),
  constraint idempotency_keys_api_key_id_fkey FOREIGN KEY (api_key_id) REFERENCES api_keys(id)
);
CREATE INDEX idempotency_keys_created_at ON idempotency_keys USING btree (created_at);

create table import_chunks (
  import_id bigint not null,
  first_byte bigint not null,
  content bytea not null,
  constraint import_chunks_pkey PRIMARY KEY (import_id, first_byte),
  constraint import_chunks_import_id_fkey FOREIGN KEY (import_id) REFERENCES imports(id) ON DELETE CASCADE
);

create table import_errors (
  import_id bigint not null,
  id bigint generated always as identity,
  line bigint not null,
  field text not null,
  reason text not null,
  "row" text not null,
  code text not null default 'invalid'::text,
  constraint import_errors_pkey PRIMARY KEY (import_id, id),
  constraint import_errors_import_id_fkey FOREIGN KEY (import_id) REFERENCES imports(id) ON DELETE CASCADE
);

create table import_warnings (
  import_id bigint not null,
  id bigint generated always as identity,
  line bigint not null,
  field text not null,
  code text not null,
  reason text not null,
  constraint import_warnings_pkey PRIMARY KEY (import_id, id),
  constraint import_warnings_import_id_fkey FOREIGN KEY (import_id) REFERENCES imports(id) ON DELETE CASCADE
);

create table imported_clicks (
  only_row boolean not null default true,
  clicks bigint not null default 0,
  constraint imported_clicks_pkey PRIMARY KEY (only_row),
  constraint imported_clicks_only_row_check CHECK (only_row)
);

create table imports (
  id bigint generated always as identity,
  api_key_id bigint not null,
  state text not null default 'uploading'::text,
  encoding text not null,
  format text not null,
  own_hosts text[] not null,
  allows_private boolean not null,
  columns text[],
  ignored_columns text[] not null default '{}'::text[],
  bytes bigint not null default 0,
  done_bytes bigint not null default 0,
  done_lines bigint not null default 0,
  rows bigint not null default 0,
  created bigint not null default 0,
  skipped bigint not null default 0,
  failed bigint not null default 0,
  unreadable bigint not null default 0,
  error text,
  created_at timestamp with time zone not null default now(),
  last_progress_at timestamp with time zone not null default now(),
  finished_at timestamp with time zone,
  deleted_at timestamp with time zone,
  delimiter text not null default ','::text,
  charset text,
  mapping jsonb,
  max_url_length integer not null default 2048,
  schemes text[] not null default '{}'::text[],
  restored bigint not null default 0,
  warnings bigint not null default 0,
  constraint imports_pkey PRIMARY KEY (id),
  constraint imports_api_key_id_fkey FOREIGN KEY (api_key_id) REFERENCES api_keys(id),
  constraint imports_encoding_check CHECK ((encoding = ANY (ARRAY['csv'::text, 'ndjson'::text]))),
  constraint imports_state_check CHECK ((state = ANY (ARRAY['uploading'::text, 'waiting'::text, 'running'::text, 'completed'::text, 'failed'::text])))
);
CREATE INDEX imports_unfinished ON imports USING btree (id) WHERE (state = ANY (ARRAY['uploading'::text, 'waiting'::text, 'running'::text]));

create table key_blocks (
  first_number bigint not null,
  size integer not null,
  purpose text not null,
  reserved_at timestamp with time zone not null default now(),
  constraint key_blocks_pkey PRIMARY KEY (first_number),
  constraint key_blocks_size_check CHECK ((size > 0))
);

create table key_generator (
  only_row boolean not null default true,
  secret bytea not null,
  code_length smallint not null default 7,
  next_number bigint not null default 0,
  constraint key_generator_pkey PRIMARY KEY (only_row),
  constraint key_generator_code_length_check CHECK (((code_length >= 4) AND (code_length <= 8))),
  constraint key_generator_only_row_check CHECK (only_row),
  constraint key_generator_secret_check CHECK ((length(secret) = 32))
);

create table reports (
  id bigint generated always as identity,
  short_code text collate "C" not null,
  original_url text not null,
  reason text not null,
  comment text,
  created_at timestamp with time zone not null default now(),
  closed_at timestamp with time zone,
  closed_by bigint,
  constraint reports_pkey PRIMARY KEY (id),
  constraint reports_closed_by_fkey FOREIGN KEY (closed_by) REFERENCES api_keys(id)
);
CREATE INDEX reports_open ON reports USING btree (short_code) WHERE (closed_at IS NULL);

create table reserved_keys (
  short_code text collate "C" not null,
  api_key_id bigint not null,
  reserved_at timestamp with time zone not null default now(),
  reserved_until timestamp with time zone,
  constraint reserved_keys_pkey PRIMARY KEY (short_code),
  constraint reserved_keys_api_key_id_fkey FOREIGN KEY (api_key_id) REFERENCES api_keys(id)
);
CREATE INDEX reserved_keys_reserved_until ON reserved_keys USING btree (reserved_until) WHERE (reserved_until IS NOT NULL);

create table returned_keys (
  short_code text collate "C" not null,
  available_at timestamp with time zone not null,
  constraint returned_keys_pkey PRIMARY KEY (short_code)
);
CREATE INDEX returned_keys_available_at ON returned_keys USING btree (available_at);

create table sessions (
  id bigint generated always as identity,
  token_hash bytea not null,
  api_key_id bigint not null,
  created_at timestamp with time zone not null default now(),
  last_used_at timestamp with time zone not null default now(),
  expires_at timestamp with time zone not null,
  user_agent text,
  ends_at timestamp with time zone,
  constraint sessions_pkey PRIMARY KEY (id),
  constraint sessions_token_hash_key UNIQUE (token_hash),
  constraint sessions_api_key_id_fkey FOREIGN KEY (api_key_id) REFERENCES api_keys(id)
);
CREATE INDEX sessions_api_key_id ON sessions USING btree (api_key_id);

create table sign_in_tokens (
  token_hash bytea not null,
  api_key_id bigint not null,
  created_at timestamp with time zone not null default now(),
  expires_at timestamp with time zone not null,
  constraint sign_in_tokens_pkey PRIMARY KEY (token_hash),
  constraint sign_in_tokens_api_key_id_fkey FOREIGN KEY (api_key_id) REFERENCES api_keys(id)
);

create table unknown_codes_daily (
  day date not null,
  short_code text collate "C" not null,
  requests bigint not null,
  constraint unknown_codes_daily_pkey PRIMARY KEY (day, short_code)
) with (fillfactor=80);

create table url_aliases (
  short_code text collate "C" not null,
  url_id bigint not null,
  created_at timestamp with time zone not null default now(),
  constraint url_aliases_pkey PRIMARY KEY (short_code)
);
CREATE INDEX url_aliases_url_id ON url_aliases USING btree (url_id);

create table url_analytics (
  url_id bigint not null,
  at timestamp with time zone not null,
  visitor bigint not null,
  clicks bigint not null,
  is_bot boolean not null,
  country text collate "C" not null,
  referrer text collate "C" not null,
  browser text collate "C" not null,
  os text collate "C" not null,
  device text collate "C" not null,
  applied_in xid8 default pg_current_xact_id(),
  bot_kind text collate "C" not null default ''::text,
  segment integer not null default 0
) partition by RANGE (at);
CREATE INDEX url_analytics_applied_in ON ONLY url_analytics USING btree (applied_in);
CREATE INDEX url_analytics_segment ON ONLY url_analytics USING brin (segment) WITH (pages_per_range='32', autosummarize='on');
CREATE INDEX url_analytics_url_at ON ONLY url_analytics USING btree (url_id, at);

create table url_bots_daily (
  url_id bigint not null,
  day date not null,
  kind text collate "C" not null,
  clicks bigint not null,
  constraint url_bots_daily_pkey PRIMARY KEY (url_id, day, kind)
) with (fillfactor=80);

create table url_clicks_daily (
  url_id bigint not null,
  day date not null,
  dimension click_dimension not null,
  value text collate "C" not null,
  clicks bigint not null,
  bots bigint not null,
  constraint url_clicks_daily_pkey PRIMARY KEY (url_id, dimension, day, value)
) with (fillfactor=80);
CREATE INDEX url_clicks_daily_day ON url_clicks_daily USING brin (day) WITH (pages_per_range='32', autosummarize='on');

create table url_clicks_hourly (
  url_id bigint not null,
  hour timestamp with time zone not null,
  clicks_00 bigint not null,
  clicks_15 bigint not null,
  clicks_30 bigint not null,
  clicks_45 bigint not null,
  bots_00 bigint not null,
  bots_15 bigint not null,
  bots_30 bigint not null,
  bots_45 bigint not null,
  event_clicks bigint not null,
  constraint url_clicks_hourly_pkey PRIMARY KEY (url_id, hour)
) with (fillfactor=80);
CREATE INDEX url_clicks_hourly_hour ON url_clicks_hourly USING brin (hour) WITH (pages_per_range='32', autosummarize='on');

create table url_leaders (
  owner bigint not null,
  sort text collate "C" not null,
  url_ids bigint[] not null,
  as_of timestamp with time zone not null,
  seconds real not null,
  constraint url_leaders_pkey PRIMARY KEY (owner, sort)
);

create table url_pending_clicks (
  segment integer not null,
  url_id bigint not null,
  day date not null,
  clicks bigint not null,
  is_bot boolean not null,
  bot_kind text collate "C" not null,
  country text collate "C" not null,
  referrer text collate "C" not null,
  browser text collate "C" not null,
  os text collate "C" not null,
  device text collate "C" not null
);
CREATE INDEX url_pending_clicks_url_id ON url_pending_clicks USING btree (url_id);

create table url_removals (
  short_code text collate "C" not null,
  version bigint not null,
  removed_in xid8 not null default pg_current_xact_id(),
  removed_at timestamp with time zone not null default now(),
  constraint url_removals_pkey PRIMARY KEY (short_code)
);
CREATE INDEX url_removals_removed_in ON url_removals USING btree (removed_in, short_code);

create table url_stats (
  url_id bigint not null,
  click_count bigint not null default 0,
  last_accessed_at timestamp with time zone,
  analytics_clicks bigint not null default 0,
  constraint url_stats_pkey PRIMARY KEY (url_id),
  constraint url_stats_url_id_fkey FOREIGN KEY (url_id) REFERENCES urls(id) ON DELETE CASCADE
) with (fillfactor=70);

create table url_summaries (
  owner bigint not null,
  kind text collate "C" not null,
  name text not null,
  urls bigint not null,
  clicks bigint not null,
  constraint url_summaries_pkey PRIMARY KEY (owner, kind, name)
);
CREATE INDEX url_summaries_clicks ON url_summaries USING btree (owner, kind, ((- clicks)), name);
CREATE INDEX url_summaries_urls ON url_summaries USING btree (owner, kind, ((- urls)), name);

create table url_summary_parts (
  owner bigint not null,
  kind text collate "C" not null,
  name text not null,
  urls bigint not null,
  clicks bigint not null,
  constraint url_summary_parts_pkey PRIMARY KEY (owner, kind, name)
);

create table url_summary_pass (
  id boolean not null default true,
  number bigint not null,
  active_at timestamp with time zone,
  owners bigint[] not null default '{}'::bigint[],
  as_of timestamp with time zone,
  seconds real not null default 0,
  constraint url_summary_pass_pkey PRIMARY KEY (id),
  constraint url_summary_pass_id_check CHECK (id)
);

create table url_usage (
  url_id bigint not null,
  clicks bigint not null,
  claimed bigint not null default 0,
  constraint url_usage_pkey PRIMARY KEY (url_id),
  constraint url_usage_url_id_fkey FOREIGN KEY (url_id) REFERENCES urls(id) ON DELETE CASCADE
) with (fillfactor=70);

create table url_visitors_daily (
  url_id bigint not null,
  day date not null,
  people bigint not null,
  bots bigint not null,
  constraint url_visitors_daily_pkey PRIMARY KEY (url_id, day)
);

create table urls (
  id bigint generated always as identity,
  short_code text collate "C" not null,
  original_url text not null,
  code_is_generated boolean not null default false,
  created_at timestamp with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  created_by bigint,
  expires_at timestamp with time zone,
  is_active boolean not null default true,
  deleted_at timestamp with time zone,
  version bigint not null default nextval('url_versions'::regclass),
  changed_in xid8,
  starts_at timestamp with time zone,
  max_clicks bigint,
  is_one_time boolean not null default false,
  password_hash text,
  fallback_url text,
  redirect_status smallint,
  redirect_max_age_seconds integer,
  forward_query boolean not null default false,
  crawlable boolean not null default false,
  title text,
  notes text,
  tags text[] not null default '{}'::text[],
  has_ended boolean not null default false,
  search_text text,
  constraint urls_pkey PRIMARY KEY (id),
  constraint urls_short_code_key UNIQUE (short_code),
  constraint urls_created_by_fkey FOREIGN KEY (created_by) REFERENCES api_keys(id),
  constraint urls_max_clicks_check CHECK ((max_clicks > 0)),
  constraint urls_one_time_max_clicks CHECK (((NOT is_one_time) OR (max_clicks IS NULL) OR (max_clicks = 1))),
  constraint urls_redirect_max_age_seconds_check CHECK ((redirect_max_age_seconds >= 0)),
  constraint urls_redirect_status_check CHECK ((redirect_status = ANY (ARRAY[301, 302, 307, 308]))),
  constraint urls_starts_at_before_expires_at CHECK ((starts_at < expires_at))
);
CREATE INDEX urls_changed_in ON urls USING btree (changed_in, short_code) WHERE (changed_in IS NOT NULL);
CREATE INDEX urls_crawlable ON urls USING btree (id) WHERE crawlable;
CREATE INDEX urls_created ON urls USING btree (created_at, id);
CREATE INDEX urls_created_by ON urls USING btree (created_by, created_at, id);
CREATE INDEX urls_host ON urls USING btree (host_of(original_url));
CREATE INDEX urls_original_url ON urls USING btree (hashtextextended(original_url, (0)::bigint), created_by);
CREATE INDEX urls_search_text ON urls USING gin (search_text gin_trgm_ops);
CREATE INDEX urls_stored_search_text ON urls USING gin (stored_search_text(short_code, title, original_url) gin_trgm_ops) WHERE (search_text IS NULL);
CREATE INDEX urls_tags ON urls USING gin (tags) WHERE (tags <> '{}'::text[]);
CREATE INDEX urls_to_expire ON urls USING btree (expires_at) WHERE (is_active AND (expires_at IS NOT NULL));
CREATE INDEX urls_to_purge_deleted ON urls USING btree (deleted_at) WHERE (deleted_at IS NOT NULL);
CREATE INDEX urls_to_purge_expired ON urls USING btree (expires_at) WHERE ((NOT is_active) AND (expires_at IS NOT NULL));
CREATE INDEX urls_without_search_text ON urls USING btree (id) WHERE (search_text IS NULL);

create table visitor_salts (
  day date not null,
  salt bytea not null,
  constraint visitor_salts_pkey PRIMARY KEY (day)
);

create view url_bots_by_day as
 SELECT url_bots_daily.url_id,
    url_bots_daily.day,
    url_bots_daily.kind,
    url_bots_daily.clicks
   FROM url_bots_daily
UNION ALL
 SELECT url_pending_clicks.url_id,
    url_pending_clicks.day,
    url_pending_clicks.bot_kind AS kind,
    url_pending_clicks.clicks
   FROM url_pending_clicks
  WHERE (url_pending_clicks.bot_kind <> ''::text)
UNION ALL
 SELECT url_analytics.url_id,
    ((url_analytics.at AT TIME ZONE 'UTC'::text))::date AS day,
    url_analytics.bot_kind AS kind,
    url_analytics.clicks
   FROM url_analytics
  WHERE ((url_analytics.bot_kind <> ''::text) AND (url_analytics.segment >= ( SELECT min(analytics_segments.segment) AS min
           FROM analytics_segments)) AND (url_analytics.at >= ( SELECT min(analytics_segments.first_at) AS min
           FROM analytics_segments)));

create view url_clicks_by_day as
 SELECT url_clicks_daily.url_id,
    url_clicks_daily.day,
    url_clicks_daily.dimension,
    url_clicks_daily.value,
    url_clicks_daily.clicks,
    url_clicks_daily.bots
   FROM url_clicks_daily
UNION ALL
 SELECT url_pending_clicks.url_id,
    url_pending_clicks.day,
    part.dimension,
    part.value,
    url_pending_clicks.clicks,
        CASE
            WHEN url_pending_clicks.is_bot THEN url_pending_clicks.clicks
            ELSE (0)::bigint
        END AS bots
   FROM (url_pending_clicks
     CROSS JOIN LATERAL ( VALUES ('country'::click_dimension,url_pending_clicks.country), ('referrer'::click_dimension,url_pending_clicks.referrer), ('browser'::click_dimension,url_pending_clicks.browser), ('os'::click_dimension,url_pending_clicks.os), ('device'::click_dimension,url_pending_clicks.device)) part(dimension, value))
UNION ALL
 SELECT url_analytics.url_id,
    ((url_analytics.at AT TIME ZONE 'UTC'::text))::date AS day,
    part.dimension,
    part.value,
    url_analytics.clicks,
        CASE
            WHEN url_analytics.is_bot THEN url_analytics.clicks
            ELSE (0)::bigint
        END AS bots
   FROM (url_analytics
     CROSS JOIN LATERAL ( VALUES ('country'::click_dimension,url_analytics.country), ('referrer'::click_dimension,url_analytics.referrer), ('browser'::click_dimension,url_analytics.browser), ('os'::click_dimension,url_analytics.os), ('device'::click_dimension,url_analytics.device)) part(dimension, value))
  WHERE ((url_analytics.segment >= ( SELECT min(analytics_segments.segment) AS min
           FROM analytics_segments)) AND (url_analytics.at >= ( SELECT min(analytics_segments.first_at) AS min
           FROM analytics_segments)));

create view url_clicks_quarter_hourly as
 SELECT url_clicks_hourly.url_id,
    url_clicks_hourly.hour,
    (url_clicks_hourly.hour + quarter.after) AS at,
    quarter.clicks,
    quarter.bots
   FROM (url_clicks_hourly
     CROSS JOIN LATERAL ( VALUES ('00:00:00'::interval,url_clicks_hourly.clicks_00,url_clicks_hourly.bots_00), ('00:15:00'::interval,url_clicks_hourly.clicks_15,url_clicks_hourly.bots_15), ('00:30:00'::interval,url_clicks_hourly.clicks_30,url_clicks_hourly.bots_30), ('00:45:00'::interval,url_clicks_hourly.clicks_45,url_clicks_hourly.bots_45)) quarter(after, clicks, bots))
  WHERE (quarter.clicks > 0);

CREATE STATISTICS public.urls_authority ON split_part(original_url, '/'::text, 3) FROM urls;

CREATE OR REPLACE FUNCTION begin_database_epoch(epoch_reason text, min_version bigint, is_forced boolean, ids_until_restart boolean, epochs_table regclass DEFAULT 'database_epochs'::regclass)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
      begin
        if not exists (select from pg_class where oid = epochs_table and relowner = current_user::regrole) then
          raise insufficient_privilege using message = 'the caller may not choose another table';
        end if;
        perform set_config('search_path',
          (select relnamespace::regnamespace::text from pg_class where oid = epochs_table) || ', pg_temp', true);
        -- Any role may detect a restored database; only a role of Linkmill may force another epoch.
        if is_forced and not has_table_privilege(session_user, 'click_dead_letters', 'insert') then
          raise insufficient_privilege using message = 'permission denied for function begin_database_epoch';
        end if;
        perform begin_epoch(epoch_reason, min_version, is_forced, ids_until_restart);
      end $function$
;

CREATE OR REPLACE FUNCTION begin_epoch(epoch_reason text, min_version bigint, is_forced boolean, ids_until_restart boolean)
 RETURNS void
 LANGUAGE plpgsql
 SET lock_timeout TO '1s'
AS $function$
      declare
        latest database_epochs;
        last_id bigint;
        last_version bigint := (select last_value from url_versions);
        floor bigint := 0;
        next_number bigint := 1;
      begin
        lock table database_epochs in exclusive mode;
        if has_current_epoch() and not is_forced then return; end if;
        select * into latest from database_epochs order by number desc limit 1;
        execute 'select case when is_called then last_value else 0 end from ' || pg_get_serial_sequence('urls', 'id')
          into last_id;
        if not is_forced and last_id = 0 and coalesce(latest.number, 1) = 1 then
          -- A copy of a database that never had a short URL: Redis cannot refer to one.
          delete from database_epochs;
        else
          next_number := coalesce(latest.number, 0) + 1;
          floor := greatest(last_version, latest.version_floor, min_version, extract(epoch from clock_timestamp())::bigint << 20) + 1;
          perform setval('url_versions', floor + 4);
          if ids_until_restart then
            last_id := coalesce((select min(id) - 1 from urls where created_at >= pg_postmaster_start_time()), last_id);
          end if;
          -- Do not hand out again the codes that the lost history handed out.
          update key_generator set next_number = key_generator.next_number + least(100000000,
            greatest(0, (62::numeric ^ code_length)::bigint - key_generator.next_number) / 1000);
        end if;
        insert into database_epochs (number, reason, version_floor, url_id_floor)
          values (next_number, epoch_reason, floor, last_id);
        -- A restored copy may or may not have a row of this number.
        insert into database_epoch_fingerprints (number, fingerprint)
          select number, database_fingerprint() || '/' || xmin::text from database_epochs where number = next_number
          on conflict (number) do update set fingerprint = excluded.fingerprint;
      end $function$
;

CREATE OR REPLACE FUNCTION clear_has_ended()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
      begin
        new.has_ended := false;
        return new;
      end $function$
;

CREATE OR REPLACE FUNCTION database_fingerprint()
 RETURNS text
 LANGUAGE plpgsql
 STABLE
AS $function$
      declare
        cluster text := 'unknown';
        timeline text := 'unknown';
      begin
        if pg_is_in_recovery() then return null; end if;
        begin
          cluster := (select system_identifier::text from pg_control_system());
        exception when insufficient_privilege or undefined_function or feature_not_supported then null;
        end;
        begin
          timeline := left(pg_walfile_name(pg_current_wal_insert_lsn()), 8);
        exception when insufficient_privilege or undefined_function or feature_not_supported then null;
        end;
        return concat_ws('/', cluster, timeline,
          (select oid from pg_database where datname = current_database()), 'database_epochs'::regclass::oid);
      end $function$
;

CREATE OR REPLACE FUNCTION ensure_current_epoch()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
      begin
        -- The schema may have been renamed; the setting ends with the function.
        perform set_config('search_path', quote_ident(tg_table_schema) || ', pg_temp', true);
        if not has_current_epoch() then
          perform begin_epoch('restored, cloned or promoted', 0, false, false);
        end if;
        return null;
      end $function$
;

CREATE OR REPLACE FUNCTION has_current_epoch()
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE
AS $function$
      declare
        current_fingerprint text := database_fingerprint();
      begin
        return current_fingerprint is null or coalesce((
          select f.fingerprint = current_fingerprint || '/' || e.xmin::text
          from database_epochs e left join database_epoch_fingerprints f using (number)
          order by e.number desc limit 1), false);
      end $function$
;

CREATE OR REPLACE FUNCTION host_of(original_url text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$ select lower(left(substring(
        split_part(split_part(original_url, '/', 3), '@', -1) from '^(\[[^]]*\]|[^?#:]+)'
      ), 255)) $function$
;

CREATE OR REPLACE FUNCTION increment_blocked_hosts_version()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
      begin
        perform set_config('search_path', quote_ident(tg_table_schema) || ', pg_temp', true);
        update blocked_hosts_version set version = version + 1;
        return null;
      end $function$
;

CREATE OR REPLACE FUNCTION mark_url_change()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
      begin
        perform set_config('search_path', quote_ident(tg_table_schema) || ', pg_temp', true);
        if new.version <= old.version or current_setting('application_name') not like 'linkmill-%' then
          new.version := nextval('url_versions');
          new.updated_at := now();
        end if;
        new.changed_in := pg_current_xact_id();
        return new;
      end $function$
;

CREATE OR REPLACE FUNCTION notify_changed_aliases()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
      declare codes text[]; versions bigint[];
      begin
        perform set_config('search_path', quote_ident(tg_table_schema) || ', pg_temp', true);
        -- Dynamic SQL: a cached plan for one row would be slow for many.
        execute 'select array_agg(a.short_code), array_agg(u.version)
          from updated u join url_aliases a on a.url_id = u.id' into codes, versions;
        if codes is not null then perform notify_url_changes(codes, versions); end if;
        return null;
      end $function$
;

CREATE OR REPLACE FUNCTION notify_deleted_urls()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
      begin
        perform set_config('search_path', quote_ident(tg_table_schema) || ', pg_temp', true);
        perform record_url_removals(array_agg(short_code), array_agg(version + 1)) from deleted;
        perform notify_url_changes(array_agg(short_code), array_agg(version + 1)) from (table deleted limit 10001) as first_ones;
        return null;
      end $function$
;

CREATE OR REPLACE FUNCTION notify_inserted_urls()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
      begin
        perform set_config('search_path', quote_ident(tg_table_schema) || ', pg_temp', true);
        insert into url_stats (url_id) select id from inserted on conflict do nothing;
        -- A row restored with its old version needs one above its removal. Dynamic SQL: a cached plan for one row would be slow
        -- for many.
        execute 'update urls set version = nextval(''url_versions'') from inserted i join url_removals r
          on r.short_code in (i.short_code, ''*'') and r.version >= i.version
          where urls.id = i.id';
        perform notify_url_changes(array_agg(short_code), array_agg(version)) from (table inserted limit 10001) as first_ones;
        return null;
      end $function$
;

CREATE OR REPLACE FUNCTION notify_renamed_url()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
      begin
        perform set_config('search_path', quote_ident(tg_table_schema) || ', pg_temp', true);
        perform record_url_removals(array[old.short_code], array[old.version + 1]);
        perform notify_url_changes(array[old.short_code], array[old.version + 1]);
        return null;
      end $function$
;

CREATE OR REPLACE FUNCTION notify_truncated_urls()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
      begin
        perform set_config('search_path', quote_ident(tg_table_schema) || ', pg_temp', true);
        perform record_url_removals(array['*'], array[nextval('url_versions')]);
        perform pg_notify('linkmill_urls', '*');
        return null;
      end $function$
;

CREATE OR REPLACE FUNCTION notify_updated_urls()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
      begin
        perform set_config('search_path', quote_ident(tg_table_schema) || ', pg_temp', true);
        perform notify_url_changes(array_agg(short_code), array_agg(version)) from (table updated limit 10001) as first_ones;
        return null;
      end $function$
;

CREATE OR REPLACE FUNCTION notify_url_changes(codes text[], versions bigint[])
 RETURNS void
 LANGUAGE plpgsql
AS $function$
      begin
        if cardinality(codes) > 10000 then
          perform pg_notify('linkmill_urls', '*');
        else
          perform pg_notify('linkmill_urls', message.text) from (select string_agg(version || ':' || code, ' ')
         from (
           select code, version,
             sum(octet_length(code) + 18) over (order by place) / 7000 as message
           from unnest(codes, versions) with ordinality as changed (code, version, place)
           where code ~ '^[^[:cntrl:][:space:]/%#]{1,64}$'
         ) as parts
         group by message) as message (text);
        end if;
      end $function$
;

CREATE OR REPLACE FUNCTION read_database_epoch(epochs_table regclass DEFAULT 'database_epochs'::regclass)
 RETURNS TABLE(number bigint, epoch uuid, identity uuid, version_floor bigint, url_id_floor bigint, reason text, age_seconds double precision, version bigint, wal_position bigint)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
      #variable_conflict use_column
      declare
        wal bigint;
      begin
        if not exists (select from pg_class where oid = epochs_table and relowner = current_user::regrole) then
          raise insufficient_privilege using message = 'the caller may not choose another table';
        end if;
        perform set_config('search_path',
          (select relnamespace::regnamespace::text from pg_class where oid = epochs_table) || ', pg_temp', true);
        if not has_current_epoch() then
          perform begin_epoch('restored, cloned or promoted', 0, false, false);
        end if;
        begin
          -- The flushed position survives a crash.
          if not pg_is_in_recovery() then wal := pg_current_wal_flush_lsn() - '0/0'::pg_lsn; end if;
        exception when insufficient_privilege or undefined_function or feature_not_supported then null;
        end;
        return query
          select e.number, e.epoch, (select f.epoch from database_epochs f order by f.number limit 1), e.version_floor,
                 e.url_id_floor, e.reason, extract(epoch from now() - e.began_at)::double precision,
                 (select last_value from url_versions), wal
          from database_epochs e order by e.number desc limit 1;
      end $function$
;

CREATE OR REPLACE FUNCTION record_analytics_removals()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
      begin
        perform set_config('search_path', quote_ident(tg_table_schema) || ', pg_temp', true);
        insert into analytics_removals (url_id) select id from deleted order by id on conflict do nothing;
        return null;
      end $function$
;

CREATE OR REPLACE FUNCTION record_purged_clicks()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
      begin
        perform set_config('search_path', quote_ident(tg_table_schema) || ', pg_temp', true);
        update click_ledger_totals set purged_clicks = purged_clicks + cast(coalesce(nullif(current_setting('linkmill.purged_clicks', true), ''), '0') as bigint) where cast(coalesce(nullif(current_setting('linkmill.purged_clicks', true), ''), '0') as bigint) > 0;
        perform set_config('linkmill.purged_clicks', '0', true);
        return null;
      end $function$
;

CREATE OR REPLACE FUNCTION record_truncated_clicks()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
      begin
        perform set_config('search_path', quote_ident(tg_table_schema) || ', pg_temp', true);
        update click_ledger_totals
        set purged_clicks = purged_clicks + (select coalesce(sum(click_count), 0) from url_stats);
        return null;
      end $function$
;

CREATE OR REPLACE FUNCTION record_url_removals(codes text[], versions bigint[])
 RETURNS void
 LANGUAGE plpgsql
AS $function$
      begin
        insert into url_removals (short_code, version)
        select code, version from unnest(codes, versions) as removed (code, version) order by code
        on conflict (short_code) do update set
          version = greatest(url_removals.version, excluded.version),
          removed_in = excluded.removed_in, removed_at = excluded.removed_at;
      end $function$
;

CREATE OR REPLACE FUNCTION reject_taken_code_on_insert()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
      begin
        perform set_config('search_path', quote_ident(tg_table_schema) || ', pg_temp', true);
        perform reject_taken_codes(array_agg(short_code), array_agg(created_by)) from inserted;
        return null;
      end $function$
;

CREATE OR REPLACE FUNCTION reject_taken_code_on_rename()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
      begin
        perform set_config('search_path', quote_ident(tg_table_schema) || ', pg_temp', true);
        perform reject_taken_codes(array[new.short_code], array[new.created_by]);
        return null;
      end $function$
;

CREATE OR REPLACE FUNCTION reject_taken_codes(codes text[], creators bigint[])
 RETURNS void
 LANGUAGE plpgsql
AS $function$
      declare
        taken text;
      begin
        -- Scalar subqueries: an index look-up for each code, however large the tables are.
        select code into taken from unnest(codes, creators) as wanted (code, creator)
        where (select true from url_aliases a where a.short_code = code)
          or current_setting('application_name') like 'linkmill-%' and (
            select r.api_key_id <> creator and (r.reserved_until is null or r.reserved_until > now())
            from reserved_keys r where r.short_code = code)
        limit 1;
        if taken is not null then
          raise unique_violation using constraint = 'urls_short_code_free', table = 'urls', column = 'short_code',
            message = format('the short code %s is an old code of a short URL, or reserved', taken);
        end if;
      end $function$
;

CREATE OR REPLACE FUNCTION reject_unusable_url()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
      begin
        raise check_violation using constraint = tg_argv[0], table = tg_table_name, column = tg_argv[1],
          message = format('%s of a short URL cannot be used by Linkmill', tg_argv[1]);
      end $function$
;

CREATE OR REPLACE FUNCTION remove_deleted_aliases()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
      declare codes text[]; versions bigint[];
      begin
        perform set_config('search_path', quote_ident(tg_table_schema) || ', pg_temp', true);
        execute 'with removed as (
            delete from url_aliases a using deleted d where a.url_id = d.id returning a.short_code
          ) select array_agg(short_code), array_agg(nextval(''url_versions'')) from removed' into codes, versions;
        if codes is not null then
          perform record_url_removals(codes, versions);
          perform notify_url_changes(codes, versions);
        end if;
        return null;
      end $function$
;

CREATE OR REPLACE FUNCTION remove_truncated_aliases()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
      begin
        perform set_config('search_path', quote_ident(tg_table_schema) || ', pg_temp', true);
        delete from url_aliases;
        return null;
      end $function$
;

CREATE OR REPLACE FUNCTION reset_search_text()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
      begin
        new.search_text := null;
        return new;
      end $function$
;

CREATE OR REPLACE FUNCTION stored_search_text(short_code text, title text, original_url text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$ select short_code || e'\n' || coalesce(title, '') || e'\n' || original_url $function$
;

CREATE OR REPLACE FUNCTION sum_purged_clicks()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
      begin
        perform set_config('search_path', quote_ident(tg_table_schema) || ', pg_temp', true);
        perform set_config('linkmill.purged_clicks', cast(cast(coalesce(nullif(current_setting('linkmill.purged_clicks', true), ''), '0') as bigint) + old.click_count as text), true);
        return old;
      end $function$
;

CREATE OR REPLACE FUNCTION truncate_analytics()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
      begin
        perform set_config('search_path', quote_ident(tg_table_schema) || ', pg_temp', true);
        truncate url_clicks_hourly, url_clicks_daily, url_analytics, url_visitors_daily, url_bots_daily, analytics_removals;
        return null;
      end $function$
;

CREATE OR REPLACE FUNCTION truncate_pending_clicks()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
      begin
        perform set_config('search_path', quote_ident(tg_table_schema) || ', pg_temp', true);
        truncate url_pending_clicks;
        return null;
      end $function$
;

CREATE TRIGGER increment_blocked_hosts_version AFTER INSERT OR DELETE OR UPDATE OR TRUNCATE ON blocked_hosts FOR EACH STATEMENT EXECUTE FUNCTION increment_blocked_hosts_version();

CREATE TRIGGER record_truncated_clicks BEFORE TRUNCATE ON url_stats FOR EACH STATEMENT WHEN ((current_setting('application_name'::text) !~~ 'linkmill-%'::text)) EXECUTE FUNCTION record_truncated_clicks();

CREATE TRIGGER sum_purged_clicks BEFORE DELETE ON url_stats FOR EACH ROW WHEN ((current_setting('application_name'::text) !~~ 'linkmill-%'::text)) EXECUTE FUNCTION sum_purged_clicks();

CREATE TRIGGER clear_has_ended BEFORE UPDATE ON urls FOR EACH ROW WHEN ((new.is_active AND new.has_ended)) EXECUTE FUNCTION clear_has_ended();

CREATE TRIGGER ensure_current_epoch BEFORE INSERT OR DELETE OR UPDATE ON urls FOR EACH STATEMENT EXECUTE FUNCTION ensure_current_epoch();

CREATE TRIGGER mark_url_change BEFORE UPDATE ON urls FOR EACH ROW WHEN (((new.* IS DISTINCT FROM old.*) AND ((old.search_text IS NOT NULL) OR (new.search_text IS NULL) OR (new.version <> old.version)))) EXECUTE FUNCTION mark_url_change();

CREATE TRIGGER notify_changed_aliases AFTER UPDATE ON urls REFERENCING NEW TABLE AS updated FOR EACH STATEMENT EXECUTE FUNCTION notify_changed_aliases();

CREATE TRIGGER notify_deleted_urls AFTER DELETE ON urls REFERENCING OLD TABLE AS deleted FOR EACH STATEMENT WHEN ((current_setting('application_name'::text) !~~ 'linkmill-%'::text)) EXECUTE FUNCTION notify_deleted_urls();

CREATE TRIGGER notify_inserted_urls AFTER INSERT ON urls REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT WHEN ((current_setting('application_name'::text) !~~ 'linkmill-%'::text)) EXECUTE FUNCTION notify_inserted_urls();

CREATE TRIGGER notify_renamed_url AFTER UPDATE ON urls FOR EACH ROW WHEN ((new.short_code <> old.short_code)) EXECUTE FUNCTION notify_renamed_url();

CREATE TRIGGER notify_truncated_urls AFTER TRUNCATE ON urls FOR EACH STATEMENT WHEN ((current_setting('application_name'::text) !~~ 'linkmill-%'::text)) EXECUTE FUNCTION notify_truncated_urls();

CREATE TRIGGER notify_updated_urls AFTER UPDATE ON urls REFERENCING NEW TABLE AS updated FOR EACH STATEMENT WHEN ((current_setting('application_name'::text) !~~ 'linkmill-%'::text)) EXECUTE FUNCTION notify_updated_urls();

CREATE TRIGGER record_analytics_removals AFTER DELETE ON urls REFERENCING OLD TABLE AS deleted FOR EACH STATEMENT EXECUTE FUNCTION record_analytics_removals();

CREATE TRIGGER record_purged_clicks AFTER DELETE ON urls FOR EACH STATEMENT WHEN ((current_setting('application_name'::text) !~~ 'linkmill-%'::text)) EXECUTE FUNCTION record_purged_clicks();

CREATE TRIGGER reject_taken_code_on_insert AFTER INSERT ON urls REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION reject_taken_code_on_insert();

CREATE TRIGGER reject_taken_code_on_rename AFTER UPDATE OF short_code ON urls FOR EACH ROW WHEN ((new.short_code <> old.short_code)) EXECUTE FUNCTION reject_taken_code_on_rename();

CREATE TRIGGER remove_deleted_aliases AFTER DELETE ON urls REFERENCING OLD TABLE AS deleted FOR EACH STATEMENT EXECUTE FUNCTION remove_deleted_aliases();

CREATE TRIGGER remove_truncated_aliases AFTER TRUNCATE ON urls FOR EACH STATEMENT EXECUTE FUNCTION remove_truncated_aliases();

CREATE TRIGGER reset_search_text BEFORE UPDATE ON urls FOR EACH ROW WHEN (((NOT (new.search_text IS DISTINCT FROM old.search_text)) AND ((((new.short_code IS DISTINCT FROM old.short_code) OR (new.original_url IS DISTINCT FROM old.original_url)) OR (new.title IS DISTINCT FROM old.title)) OR (new.tags IS DISTINCT FROM old.tags)))) EXECUTE FUNCTION reset_search_text();

CREATE TRIGGER truncate_analytics AFTER TRUNCATE ON urls FOR EACH STATEMENT EXECUTE FUNCTION truncate_analytics();

CREATE TRIGGER truncate_pending_clicks AFTER TRUNCATE ON urls FOR EACH STATEMENT EXECUTE FUNCTION truncate_pending_clicks();

CREATE TRIGGER urls_created_at_usable_insert BEFORE INSERT ON urls FOR EACH ROW WHEN (((new.created_at < '0001-01-01 00:00:00+00'::timestamp with time zone) OR (new.created_at > '9999-12-31 23:59:59.999999+00'::timestamp with time zone))) EXECUTE FUNCTION reject_unusable_url('urls_created_at_usable', 'created_at');

CREATE TRIGGER urls_created_at_usable_update BEFORE UPDATE OF created_at ON urls FOR EACH ROW WHEN (((new.created_at IS DISTINCT FROM old.created_at) AND ((new.created_at < '0001-01-01 00:00:00+00'::timestamp with time zone) OR (new.created_at > '9999-12-31 23:59:59.999999+00'::timestamp with time zone)))) EXECUTE FUNCTION reject_unusable_url('urls_created_at_usable', 'created_at');

CREATE TRIGGER urls_fallback_url_usable_insert BEFORE INSERT ON urls FOR EACH ROW WHEN (((length(new.fallback_url) > 32768) OR (translate(ltrim("left"(new.fallback_url, 256), '\x01\x02\x03\x04\x05\x06\x07\x08\x0b\x0c\x0e\x0f\x1b\x1f \x09\x0d
'::text), '\x09\x0d
'::text, ''::text) !~* '^[a-z][a-z0-9+.-]*:'::text) OR (translate(ltrim("left"(new.fallback_url, 256), '\x01\x02\x03\x04\x05\x06\x07\x08\x0b\x0c\x0e\x0f\x1b\x1f \x09\x0d
'::text), '\x09\x0d
'::text, ''::text) ~* '^(about|blob|data|file|filesystem|javascript|jar|vbscript|view-source):'::text))) EXECUTE FUNCTION reject_unusable_url('urls_fallback_url_usable', 'fallback_url');

CREATE TRIGGER urls_fallback_url_usable_update BEFORE UPDATE OF fallback_url ON urls FOR EACH ROW WHEN (((new.fallback_url IS DISTINCT FROM old.fallback_url) AND ((length(new.fallback_url) > 32768) OR (translate(ltrim("left"(new.fallback_url, 256), '\x01\x02\x03\x04\x05\x06\x07\x08\x0b\x0c\x0e\x0f\x1b\x1f \x09\x0d
'::text), '\x09\x0d
'::text, ''::text) !~* '^[a-z][a-z0-9+.-]*:'::text) OR (translate(ltrim("left"(new.fallback_url, 256), '\x01\x02\x03\x04\x05\x06\x07\x08\x0b\x0c\x0e\x0f\x1b\x1f \x09\x0d
'::text), '\x09\x0d
'::text, ''::text) ~* '^(about|blob|data|file|filesystem|javascript|jar|vbscript|view-source):'::text)))) EXECUTE FUNCTION reject_unusable_url('urls_fallback_url_usable', 'fallback_url');

CREATE TRIGGER urls_original_url_usable_insert BEFORE INSERT ON urls FOR EACH ROW WHEN (((length(new.original_url) > 32768) OR (translate(ltrim("left"(new.original_url, 256), '\x01\x02\x03\x04\x05\x06\x07\x08\x0b\x0c\x0e\x0f\x1b\x1f \x09\x0d
'::text), '\x09\x0d
'::text, ''::text) !~* '^[a-z][a-z0-9+.-]*:'::text) OR (translate(ltrim("left"(new.original_url, 256), '\x01\x02\x03\x04\x05\x06\x07\x08\x0b\x0c\x0e\x0f\x1b\x1f \x09\x0d
'::text), '\x09\x0d
'::text, ''::text) ~* '^(about|blob|data|file|filesystem|javascript|jar|vbscript|view-source):'::text))) EXECUTE FUNCTION reject_unusable_url('urls_original_url_usable', 'original_url');

CREATE TRIGGER urls_original_url_usable_update BEFORE UPDATE OF original_url ON urls FOR EACH ROW WHEN (((new.original_url IS DISTINCT FROM old.original_url) AND ((length(new.original_url) > 32768) OR (translate(ltrim("left"(new.original_url, 256), '\x01\x02\x03\x04\x05\x06\x07\x08\x0b\x0c\x0e\x0f\x1b\x1f \x09\x0d
'::text), '\x09\x0d
'::text, ''::text) !~* '^[a-z][a-z0-9+.-]*:'::text) OR (translate(ltrim("left"(new.original_url, 256), '\x01\x02\x03\x04\x05\x06\x07\x08\x0b\x0c\x0e\x0f\x1b\x1f \x09\x0d
'::text), '\x09\x0d
'::text, ''::text) ~* '^(about|blob|data|file|filesystem|javascript|jar|vbscript|view-source):'::text)))) EXECUTE FUNCTION reject_unusable_url('urls_original_url_usable', 'original_url');

CREATE TRIGGER urls_version_usable_insert BEFORE INSERT ON urls FOR EACH ROW WHEN (((new.version < 1) OR (new.version > '9007199254740991'::bigint))) EXECUTE FUNCTION reject_unusable_url('urls_version_usable', 'version');

CREATE TRIGGER urls_version_usable_update BEFORE UPDATE OF version ON urls FOR EACH ROW WHEN (((new.version IS DISTINCT FROM old.version) AND ((new.version < 1) OR (new.version > '9007199254740991'::bigint)))) EXECUTE FUNCTION reject_unusable_url('urls_version_usable', 'version');
