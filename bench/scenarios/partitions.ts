import { createHash } from 'node:crypto';
import { type Knex, openPostgres } from '../../src/storage/postgres/postgres.ts';
import { formatMarkdownTable } from '../../test/support/http/markdown-table.ts';
import { createRandom } from '../../test/support/random.ts';
import { startTestPostgres } from '../../test/support/services/servers.ts';
import { medianOf } from '../median.ts';

/** `npm run bench:partitions [-- ROWS]`: what statements cost when `urls` and `url_stats` are partitioned, for docs/adr/0011-partition-key.md.
 *  Each table has the columns and indexes that these statements need, a million rows by default, in 16 partitions. The designs take turns. */
const rows = Number(process.argv[2] ?? 1_000_000);
const partitions = 16;
const rounds = 5;

/** The partition of a code, as the service and a function of PostgreSQL would both compute it. */
const partOf = (code: string): number => createHash('md5').update(code).digest()[0]! % partitions;
const partSql = (code: string) => `get_byte(decode(md5(${code}), 'hex'), 0) % ${partitions}`;

interface Design {
  name: string;
  create: string;
  /** Fills it from the table `source` (n, code). */
  fill: string;
  byCode: [sql: string, bind: (code: string) => Knex.ValueDict];
  byCodes: [sql: string, bind: (codes: string[]) => Knex.ValueDict];
  byId: [sql: string, bind: (id: number) => Knex.ValueDict];
  insert: [sql: string, bind: (codes: string[]) => Knex.ValueDict];
  /** Adds `clicks` to the counters of `ids`. */
  count: string;
  latest: string;
}

const columns =
  'original_url text not null, created_at timestamptz not null, created_by bigint, title text, version bigint not null';
const stats = 'click_count bigint not null, last_accessed_at timestamptz';
const values = `'https://example.com/articles/' || code, now() - n * interval '1 second', 1, 'Article ' || n, n`;
const names = 'original_url, created_at, created_by, title, version';
const inParts = (table: string) =>
  Array.from(
    { length: partitions },
    (_, i) =>
      `create table ${table}_${i} partition of ${table} for values with (modulus ${partitions}, remainder ${i});`,
  ).join('\n');
const listParts = (table: string) =>
  Array.from(
    { length: partitions },
    (_, i) => `create table ${table}_${i} partition of ${table} for values in (${i});`,
  ).join('\n');
const latestOf = (table: string) => `select * from ${table} order by created_at desc, id desc limit 50`;
const countIn = (table: string, key = 'url_id', also = '') => `
  update ${table} s set click_count = s.click_count + total.clicks, last_accessed_at = now()
  from unnest(cast(:ids as bigint[]), cast(:clicks as bigint[])) as total (url_id, clicks)
  where s.${key} = total.url_id ${also}`;

const designs: Design[] = [
  {
    name: 'A: one table',
    create: `
      create table a_urls (id bigint generated always as identity primary key, short_code text collate "C" not null unique, ${columns});
      create index on a_urls (created_at, id);
      create table a_stats (url_id bigint primary key references a_urls, ${stats}) with (fillfactor = 70);`,
    fill: `
      insert into a_urls (short_code, ${names}) select code, ${values} from source order by n;
      insert into a_stats select id, 0, null from a_urls order by id;`,
    byCode: ['select * from a_urls where short_code = :code', (code) => ({ code })],
    byCodes: ['select * from a_urls where short_code = any(cast(:codes as text[]))', (codes) => ({ codes })],
    byId: ['select * from a_urls where id = :id', (id) => ({ id })],
    insert: [
      `with u as (insert into a_urls (short_code, ${names}) select code, ${values} from unnest(cast(:codes as text[])) with ordinality as t (code, n) returning id)
       insert into a_stats select id, 0, null from u`,
      (codes) => ({ codes }),
    ],
    count: countIn('a_stats'),
    latest: latestOf('a_urls'),
  },
  {
    name: 'B: by hash of the code',
    create: `
      create sequence b_ids;
      create table b_urls (id bigint not null default nextval('b_ids'), short_code text collate "C" not null, ${columns}, primary key (short_code))
        partition by hash (short_code);
      ${inParts('b_urls')}
      create index on b_urls (id);
      create index on b_urls (created_at, id);
      create table b_stats (short_code text collate "C" primary key references b_urls, url_id bigint not null, ${stats}) partition by hash (short_code);
      ${inParts('b_stats')}
      create index on b_stats (url_id);`,
    fill: `
      insert into b_urls (short_code, ${names}) select code, ${values} from source order by n;
      insert into b_stats select short_code, id, 0, null from b_urls order by id;`,
    byCode: ['select * from b_urls where short_code = :code', (code) => ({ code })],
    byCodes: ['select * from b_urls where short_code = any(cast(:codes as text[]))', (codes) => ({ codes })],
    byId: ['select * from b_urls where id = :id', (id) => ({ id })],
    insert: [
      `with u as (insert into b_urls (short_code, ${names}) select code, ${values} from unnest(cast(:codes as text[])) with ordinality as t (code, n) returning id, short_code)
       insert into b_stats select short_code, id, 0, null from u`,
      (codes) => ({ codes }),
    ],
    count: countIn('b_stats'),
    latest: latestOf('b_urls'),
  },
  {
    name: 'C: the id carries the partition',
    create: `
      create sequence c_ids;
      create table c_urls (part smallint not null, id bigint not null, short_code text collate "C" not null, ${columns},
        primary key (part, id), unique (part, short_code), check (id % ${partitions} = part)) partition by list (part);
      ${listParts('c_urls')}
      create index on c_urls (created_at, id);
      create table c_stats (part smallint not null, url_id bigint not null, ${stats}, primary key (part, url_id),
        foreign key (part, url_id) references c_urls) partition by list (part);
      ${listParts('c_stats')}`,
    fill: `
      insert into c_urls (part, id, short_code, ${names})
        select part, nextval('c_ids') * ${partitions} + part, code, ${values} from (select n, code, ${partSql('code')} as part from source order by n) as s;
      insert into c_stats select part, id, 0, null from c_urls order by id;`,
    byCode: [
      'select * from c_urls where part = :part and short_code = :code',
      (code) => ({ part: partOf(code), code }),
    ],
    byCodes: [
      'select u.* from unnest(cast(:parts as smallint[]), cast(:codes as text[])) as t (part, code) join c_urls u on u.part = t.part and u.short_code = t.code',
      (codes) => ({ codes, parts: codes.map(partOf) }),
    ],
    byId: ['select * from c_urls where part = :part and id = :id', (id) => ({ part: id % partitions, id })],
    insert: [
      `with u as (insert into c_urls (part, id, short_code, ${names})
         select part, nextval('c_ids') * ${partitions} + part, code, ${values}
         from unnest(cast(:parts as smallint[]), cast(:codes as text[])) with ordinality as t (part, code, n) returning part, id)
       insert into c_stats select part, id, 0, null from u`,
      (codes) => ({ codes, parts: codes.map(partOf) }),
    ],
    count: countIn('c_stats', 'url_id', `and s.part = total.url_id % ${partitions}`),
    latest: latestOf('c_urls'),
  },
  {
    name: 'D: by hash of the id, codes apart',
    create: `
      create table d_codes (short_code text collate "C" primary key, url_id bigint not null) partition by hash (short_code);
      ${inParts('d_codes')}
      create sequence d_ids;
      create table d_urls (id bigint primary key, short_code text collate "C" not null, ${columns}) partition by hash (id);
      ${inParts('d_urls')}
      create index on d_urls (created_at, id);
      create table d_stats (url_id bigint primary key references d_urls, ${stats}) partition by hash (url_id);
      ${inParts('d_stats')}`,
    fill: `
      insert into d_urls (id, short_code, ${names}) select nextval('d_ids'), code, ${values} from (select * from source order by n) as s;
      insert into d_codes select short_code, id from d_urls order by id;
      insert into d_stats select id, 0, null from d_urls order by id;`,
    byCode: [
      'select u.* from d_codes c join d_urls u on u.id = c.url_id where c.short_code = :code',
      (code) => ({ code }),
    ],
    byCodes: [
      // Otherwise PostgreSQL reads all short URLs.
      'select u.* from d_codes c cross join lateral (select * from d_urls where id = c.url_id offset 0) u where c.short_code = any(cast(:codes as text[]))',
      (codes) => ({ codes }),
    ],
    byId: ['select * from d_urls where id = :id', (id) => ({ id })],
    insert: [
      `with u as (insert into d_urls (id, short_code, ${names})
         select nextval('d_ids'), code, ${values} from unnest(cast(:codes as text[])) with ordinality as t (code, n) returning id, short_code),
       c as (insert into d_codes select short_code, id from u)
       insert into d_stats select id, 0, null from u`,
      (codes) => ({ codes }),
    ],
    count: countIn('d_stats'),
    latest: latestOf('d_urls'),
  },
];

const postgres = await startTestPostgres({ keepsCommits: true });
const db = openPostgres({ url: postgres.url, poolMax: 1, queryTimeoutMs: 3_600_000, name: 'bench' });
const random = createRandom('partitions');
let inserted = 0;
try {
  await db.raw(
    `create table source as select n, substr(md5(n::text), 1, 14) as code from generate_series(1, ${rows}) as n`,
  );
  for (const { create, fill } of designs) await db.raw(`${create}${fill}`);
  await db.raw('vacuum (analyze)');
  const ids = new Map<Design, number[]>();
  for (const design of designs)
    ids.set(design, await db(`${design.name[0]!.toLowerCase()}_stats`).pluck<number[]>('url_id'));
  const times = designs.map(() => new Map<string, number[]>());
  for (let round = 0; round < rounds; round += 1)
    for (const [i, design] of designs.entries())
      for (const [what, micros] of await measureOnce(design, ids.get(design)!))
        times[i]!.set(what, [...(times[i]!.get(what) ?? []), micros]);

  const header = ['µs per statement', ...designs.map(({ name }) => name)];
  const lines: string[][] = [];
  for (const [what, first] of times[0]!) {
    const medians = times.map((of) => medianOf(of.get(what)!));
    const ratioOf = (median: number) => (median / medianOf(first)).toFixed(2);
    lines.push([what, ...medians.map((median) => `${Math.round(median)} (${ratioOf(median)})`)]);
  }
  lines.push(['bytes of a short URL', ...(await Promise.all(designs.map(sizeOf)))]);
  console.log(formatMarkdownTable(header, lines));
} finally {
  await db.destroy();
  await postgres.stop();
}

/** Microseconds of each kind of statement. */
async function measureOnce(design: Design, ids: number[]): Promise<[what: string, micros: number][]> {
  const code = () => codeOf(random.between(1, rows));
  const id = () => ids[random.between(0, ids.length - 1)]!;
  const times = (count: number, make: () => string | number) => Array.from({ length: count }, make);
  const run = async (what: string, count: number, sql: string, bind: () => Knex.ValueDict) => {
    const startedAt = performance.now();
    for (let i = 0; i < count; i += 1) await db.raw(sql, bind());
    return [what, ((performance.now() - startedAt) * 1_000) / count] as [string, number];
  };
  const { byCode, byCodes, byId, insert, count, latest } = design;
  return [
    await run('an empty statement', 1_000, 'select 1', () => ({})),
    await run('look-up by code', 1_000, byCode[0], () => byCode[1](code())),
    await run('look-up of 100 codes', 100, byCodes[0], () => byCodes[1](times(100, code) as string[])),
    await run('look-up by id', 1_000, byId[0], () => byId[1](id())),
    await run('insert of one', 300, insert[0], () => insert[1]([newCode()])),
    await run('insert of 100', 30, insert[0], () => insert[1](times(100, newCode) as string[])),
    await run('count clicks of 10,000', 3, count, () => {
      const unique = [...new Set(times(10_000, id) as number[])];
      return { ids: unique, clicks: unique.map(() => 1) };
    }),
    await run('the latest 50', 100, latest, () => ({})),
  ];
}

function codeOf(n: number): string {
  return createHash('md5').update(String(n)).digest('hex').slice(0, 14);
}

function newCode(): string {
  inserted += 1;
  return `new-${inserted}`;
}

async function sizeOf({ name }: Design): Promise<string> {
  const result = await db.raw<{ rows: { bytes: number }[] }>(
    `select sum(pg_total_relation_size(oid)) as bytes from pg_class where relname like ? and relkind = 'r'`,
    [`${name[0]!.toLowerCase()}\\_%`],
  );
  return String(Math.round(result.rows[0]!.bytes / rows));
}
