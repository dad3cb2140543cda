import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import { readFrom } from '../../../src/storage/reads/read-pool.ts';
import { createSearchQuery } from '../../../src/storage/reads/search-query.ts';
import type { UrlFilter } from '../../../src/urls/search/filter.ts';
import { createUrlLists, type UrlOrder, type UrlCursor, urlSorts } from '../../../src/urls/search/list.ts';
import { useDatabase } from '../../support/resources.ts';

const { db } = useDatabase();
const now = new Date('2026-06-01T00:00:00Z');

interface Row {
  short_code: string;
  original_url: string;
  title: string | null;
  tags: string[];
  is_active: boolean;
  created_by: number | null;
  created_at: string;
  expires_at: string | null;
  deleted_at: string | null;
  clicks: number;
  clicked_at: string | null;
}

let keyIds: number[];
beforeAll(async () => {
  const apiKeys = createApiKeys(db());
  keyIds = [(await apiKeys.create('a')).id, (await apiKeys.create('b')).id];
});

/** Few distinct values, so that filters match several rows. */
const times = [
  '2026-05-01T00:00:00.000001Z',
  '2026-05-01T00:00:00.000002Z',
  '2026-05-31T23:59:59.999999Z',
  '2026-06-01T00:00:00.000000Z',
  '2026-06-02T12:00:00.000000Z',
];
const time = fc.constantFrom(...times);
const text = fc.constantFrom('50% off', 'a_b', 'A\\B', 'Bread & tea', 'ÄRGER', 'x'.repeat(300));
const tag = fc.constantFrom('food', 'a_b', 'Bread & tea', 'ärger');
const hosts = ['a.example', 'b.example', 'xn--bcher-kva.example', '[2001:db8::1]'];
const originalUrl = fc
  .tuple(
    fc.constantFrom('http', 'https'),
    fc.constantFrom(...hosts),
    fc.constantFrom('', ':8080'),
    fc.constantFrom('/', '/A_B', '/50%25?to=https://a.example/', '/Bread#tea'),
  )
  .map(([scheme, host, port, path]) => `${scheme}://${host}${port}${path}`);

const row = (): fc.Arbitrary<Omit<Row, 'short_code'>> =>
  fc.record({
    original_url: originalUrl,
    title: fc.option(text),
    tags: fc.uniqueArray(tag, { maxLength: 3 }),
    is_active: fc.boolean(),
    created_by: fc.option(fc.constantFrom(...keyIds)),
    created_at: time,
    expires_at: fc.option(time),
    deleted_at: fc.oneof({ arbitrary: fc.constant(null), weight: 5 }, time),
    clicks: fc.integer({ min: 0, max: 2 }),
    clicked_at: fc.option(time),
  });

const wholeFilter = (): fc.Arbitrary<Required<UrlFilter>> =>
  fc.record({
    isDeleted: fc.boolean(),
    owner: fc.option(fc.constantFrom(...keyIds)),
    search: fc.constantFrom(
      '50%',
      'a_b',
      'A\\b',
      'bread',
      'food',
      'EXAMPLE',
      'code-1',
      'Ärger',
      'none of it',
    ),
    tags: fc.uniqueArray(tag, { maxLength: 2 }),
    isActive: fc.boolean(),
    isExpired: fc.boolean(),
    createdBy: fc.constantFrom(...keyIds),
    createdFrom: time.map((at) => new Date(at)),
    createdBefore: time.map((at) => new Date(at)),
    host: fc.constantFrom(...hosts, 'example'),
  });

const properties = [
  'isDeleted',
  'owner',
  'search',
  'tags',
  'isActive',
  'isExpired',
  'createdBy',
  'createdFrom',
  'createdBefore',
  'host',
] as const;

/** Few conditions, so that they match some rows. */
const filter = (): fc.Arbitrary<UrlFilter> =>
  fc
    .tuple(wholeFilter(), fc.subarray([...properties], { maxLength: 2 }))
    .map(([whole, original]) => Object.fromEntries(original.map((property) => [property, whole[property]])));

const order: fc.Arbitrary<UrlOrder> = fc.record({
  sort: fc.constantFrom(...urlSorts),
  isDescending: fc.boolean(),
});

/** Only deleted short URLs have a time of deletion. */
const isPossible = (query: { filter: UrlFilter; order: UrlOrder }) =>
  query.order.sort !== 'deleted' || query.filter.isDeleted === true;

/** Replaces all rows; their codes are numbered. */
async function store(rows: Omit<Row, 'short_code'>[]): Promise<Row[]> {
  await db().raw('delete from urls');
  const stored = rows.map((one, i) => Object.assign({ short_code: `code-${i}` }, one));
  await insert(stored);
  return stored;
}

async function insert(rows: Row[]): Promise<void> {
  await db().raw(
    `with input as materialized (
       select * from json_to_recordset(cast(:rows as json)) as input (
         short_code text, original_url text, title text, tags text[], is_active boolean, created_by bigint,
         created_at timestamptz, expires_at timestamptz, deleted_at timestamptz, clicks bigint, clicked_at timestamptz
       )
     ), u as (
       insert into urls (short_code, original_url, title, tags, is_active, created_by, created_at, expires_at, deleted_at)
       select short_code, original_url, title, tags, is_active, created_by, created_at, expires_at, deleted_at from input
       returning id, short_code
     )
     insert into url_stats (url_id, click_count, last_accessed_at)
     select u.id, input.clicks, input.clicked_at from u join input using (short_code)`,
    { rows: JSON.stringify(rows) },
  );
}

/** The model of the filter. Compares times as text, to the microsecond. */
function matches(one: Row, filter: UrlFilter): boolean {
  const exact = (at: Date) => at.toISOString().replace('Z', '000Z');
  const isExpired = one.expires_at !== null && one.expires_at <= exact(now);
  const found = (text: string) =>
    [one.short_code, one.title ?? '', one.original_url].some((field) =>
      field.toLowerCase().includes(text.toLowerCase()),
    ) || one.tags.includes(text);
  const host = new URL(one.original_url).hostname;
  return (
    (one.deleted_at !== null) === (filter.isDeleted ?? false) &&
    (filter.owner == null || one.created_by === filter.owner) &&
    (filter.search === undefined || found(filter.search)) &&
    (filter.tags ?? []).every((name) => one.tags.includes(name)) &&
    (filter.isActive === undefined || one.is_active === filter.isActive) &&
    (filter.isExpired === undefined || isExpired === filter.isExpired) &&
    (filter.createdBy === undefined || one.created_by === filter.createdBy) &&
    (!filter.createdFrom || one.created_at >= exact(filter.createdFrom)) &&
    (!filter.createdBefore || one.created_at < exact(filter.createdBefore)) &&
    (filter.host === undefined || host === filter.host)
  );
}

const values: Record<UrlOrder['sort'], (one: Row) => number | string> = {
  created: (one) => one.created_at,
  clicks: (one) => one.clicks,
  last_click: (one) => one.clicked_at ?? '',
  deleted: (one) => one.deleted_at ?? '',
};

/** Sorts rows like the list; ties by insertion. */
function sorted(rows: Row[], { sort, isDescending }: UrlOrder): string[] {
  const value = values[sort];
  const compare = (a: Row, b: Row) => (value(a) < value(b) ? -1 : value(a) > value(b) ? 1 : 0);
  const ascending = rows.toSorted(compare).map((one) => one.short_code);
  return isDescending ? ascending.toReversed() : ascending;
}

const lists = () => createUrlLists(createSearchQuery(readFrom(db()), 20_000));

/** Follows a list to its end, and calls `between` after each page. */
async function walk(
  query: { filter: UrlFilter; order: UrlOrder; limit: number },
  between = async (): Promise<void> => {},
): Promise<string[]> {
  const codes: string[] = [];
  let after: UrlCursor | undefined;
  do {
    const page = await lists().list({ ...query, after, now });
    expect(page.urls.length).toBeLessThanOrEqual(query.limit);
    codes.push(...page.urls.map((one) => one.shortCode));
    after = page.next;
    if (after) await between();
  } while (after);
  return codes;
}

test('every filter, order and page size returns the same as the model', async () => {
  const query = fc
    .record({ filter: filter(), order, limit: fc.integer({ min: 1, max: 30 }) })
    .filter(isPossible);
  await fc.assert(
    fc.asyncProperty(
      fc.array(row(), { maxLength: 25 }),
      fc.array(query, { minLength: 5, maxLength: 5 }),
      async (rows, queries) => {
        const stored = await store(rows);
        for (const one of queries) {
          const matching = stored.filter((url) => matches(url, one.filter));
          expect(await walk(one)).toEqual(sorted(matching, one.order));
          const { count, isExact } = await lists().count(one.filter, now);
          expect([count, isExact]).toEqual([matching.length, true]);
        }
      },
    ),
    { numRuns: 40 },
  );
});

test('rows inserted between pages do not repeat or skip any other row', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(row(), { minLength: 5, maxLength: 20 }),
      fc.array(row(), { minLength: 20, maxLength: 20 }),
      order.filter(({ sort }) => sort !== 'deleted'),
      fc.integer({ min: 1, max: 6 }),
      async (rows, later, by, limit) => {
        const first = await store(rows);
        const codes = new Set(first.map((one) => one.short_code));
        const added = later.map((one, i) => Object.assign({ short_code: `later-${i}` }, one));
        const all = await walk({ filter: {}, order: by, limit }, async () => {
          const next = added.pop();
          if (next) await insert([next]);
        });
        expect(new Set(all).size).toBe(all.length);
        const original = all.filter((code) => codes.has(code));
        expect(original).toEqual(
          sorted(
            first.filter((one) => matches(one, {})),
            by,
          ),
        );
      },
    ),
    { numRuns: 25 },
  );
});
