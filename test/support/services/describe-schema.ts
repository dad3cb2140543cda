import type { Knex } from '../../../src/storage/postgres/postgres.ts';

/** Describes the tables, views, functions and triggers of a database as SQL in a fixed order, for reading and
 *  comparison: without owners, rights, extensions and the migration history. */
export async function describeSchema(db: Knex): Promise<string> {
  const sections: string[][] = [];
  for (const query of [sequences, types, tables, views, statistics, functions, triggers]) {
    const { rows } = await db.raw<{ rows: { text: string }[] }>(query.replaceAll('?', '\\?'));
    sections.push(rows.map(({ text }) => text.trim()));
  }
  return `${sections.flat().join('\n\n')}\n`.replaceAll(/(?!\n)\p{Cc}/gu, escapeCharacter);
}

const escapeCharacter = (character: string) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;

const isOwn = (catalog: string) =>
  `not exists (select from pg_depend d where d.classid = '${catalog}'::regclass and d.objid = o.oid and d.deptype = 'e')`;

/** Sequences of identity columns are part of their tables. */
const sequences = `
  select format('create sequence %I as %s increment by %s;', relname, seqtypid::regtype, seqincrement) as text
  from pg_class o join pg_sequence s on s.seqrelid = o.oid
  where relnamespace = 'public'::regnamespace and not exists (
    select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = o.oid and d.deptype in ('i', 'a'))
  order by relname`;

const types = `
  select format('create type %I as enum (%s);', typname, (
    select string_agg(quote_literal(enumlabel), ', ' order by enumsortorder) from pg_enum where enumtypid = o.oid)) as text
  from pg_type o
  where typnamespace = 'public'::regnamespace and typtype = 'e' and ${isOwn('pg_type')}
  order by typname`;

const columns = `
  select attnum as place, format('  %I %s%s%s%s', attname, format_type(atttypid, atttypmod),
    case when attcollation <> 0 and attcollation <> (select typcollation from pg_type where oid = atttypid)
      then format(' collate %I', (select collname from pg_collation where oid = attcollation)) end,
    case when attidentity = 'a' then ' generated always as identity' when attnotnull then ' not null' end,
    ' default ' || (select pg_get_expr(adbin, adrelid) from pg_attrdef where adrelid = attrelid and adnum = attnum)) as line
  from pg_attribute where attrelid = o.oid and attnum > 0 and not attisdropped`;

/** PostgreSQL 18 and newer also list not-null constraints. */
const constraints = `
  select 10000 + row_number() over (order by position(contype::text in 'pufc'), conname) as place,
    format('  constraint %I %s', conname, pg_get_constraintdef(c.oid)) as line
  from pg_constraint c where conrelid = o.oid and contype in ('p', 'u', 'f', 'c')`;

const indexes = `
  select string_agg(E'\\n' || replace(pg_get_indexdef(indexrelid), 'public.', '') || ';', '' order by indexrelid::regclass::text)
  from pg_index where indrelid = o.oid and not exists (select from pg_constraint where conindid = indexrelid)`;

const tables = `
  select format(E'create table %I (\\n%s\\n)%s%s;%s', relname,
    (select string_agg(line, E',\\n' order by place) from (${columns} union all ${constraints}) as lines),
    ' partition by ' || pg_get_partkeydef(o.oid),
    ' with (' || array_to_string(reloptions, ', ') || ')', (${indexes})) as text
  from pg_class o
  where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition
    and relname <> 'knex_migrations'
  order by relname`;

const views = `
  select format(E'create view %I as\\n%s', relname, pg_get_viewdef(o.oid)) as text
  from pg_class o where relnamespace = 'public'::regnamespace and relkind = 'v' order by relname`;

const statistics = `
  select pg_get_statisticsobjdef(o.oid) || ';' as text from pg_statistic_ext o
  where stxnamespace = 'public'::regnamespace order by stxname`;

const functions = `
  select replace(pg_get_functiondef(o.oid), 'public.', '') || ';' as text from pg_proc o
  where pronamespace = 'public'::regnamespace and ${isOwn('pg_proc')} order by proname`;

const triggers = `
  select replace(pg_get_triggerdef(o.oid), 'public.', '') || ';' as text from pg_trigger o
  where not tgisinternal order by tgrelid::regclass::text, tgname`;
