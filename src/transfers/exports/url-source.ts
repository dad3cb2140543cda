import { type Knex, onlyRow } from '../../storage/postgres/postgres.ts';
import { type ReadPool, readFrom, readOnce } from '../../storage/reads/read-pool.ts';
import { storedColumns } from '../../urls/store/columns.ts';
import { isOwned } from '../../urls/store/owner.ts';
import type { ShortUrlWithClicks, StoredUrl } from '../../urls/url.ts';
import type { ExportedValue, ExportSource } from './source.ts';

type ExportedUrl = StoredUrl & ShortUrlWithClicks;

/** The columns of a short URL in an export, in their order. Of a password only its presence is exported. */
const readers = {
  short_code: (url) => url.shortCode,
  original_url: (url) => url.originalUrl,
  created_at: (url) => url.createdAt,
  starts_at: (url) => url.startsAt,
  expires_at: (url) => url.expiresAt,
  max_clicks: (url) => url.maxClicks,
  // A short URL that only the clean-up disabled is exported as active.
  is_active: (url) => url.isActive || url.hasEnded,
  is_one_time: (url) => url.isOneTime,
  has_password: (url) => url.passwordHash !== null,
  fallback_url: (url) => url.fallbackUrl,
  redirect_status: (url) => url.redirectStatus,
  redirect_max_age_seconds: (url) => url.redirectMaxAgeSeconds,
  forward_query: (url) => url.forwardQuery,
  crawlable: (url) => url.crawlable,
  title: (url) => url.title,
  notes: (url) => url.notes,
  tags: (url) => url.tags,
  aliases: (url) => url.aliases ?? [],
  click_count: (url) => url.clickCount,
  last_accessed_at: (url) => url.lastAccessedAt,
} satisfies Record<string, (url: ExportedUrl) => ExportedValue>;

/** Short URLs with their counters, without deleted ones; rows are read from `pool`. */
export const createUrlSource = (db: Knex, pool: ReadPool = readFrom(db)): ExportSource => ({
  columns: Object.keys(readers),

  async findLastId() {
    const result = await db.raw<{ rows: { id: number | null }[] }>('select max(id) as id from urls');
    return onlyRow(result).id ?? 0;
  },

  async findRows({ after, upTo, owner, limit }) {
    const { rows } = await readOnce(
      pool,
      async (trx) =>
        await trx.raw<{ rows: ExportedUrl[] }>(
          // Joined after the page is complete, row by row: PostgreSQL would also read the counters of all earlier pages again.
          `with page as materialized (
         select u.* from urls u
         where u.id > :after and u.id <= :upTo and u.deleted_at is null and ${isOwned}
         order by u.id limit :limit
       )
       select ${storedColumns}, coalesce(s.click_count, 0) as "clickCount", s.last_accessed_at as "lastAccessedAt"
       from page u left join lateral (
         select click_count, last_accessed_at from url_stats where url_id = u.id limit 1
       ) s on true
       order by u.id`,
          { after, upTo, owner, limit },
        ),
    );
    return rows.map((url) => ({
      id: url.id,
      values: Object.fromEntries(Object.entries(readers).map(([name, read]) => [name, read(url)])),
    }));
  },
});
