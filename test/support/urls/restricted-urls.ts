import { scryptSync } from 'node:crypto';
import { type Knex, onlyRow } from '../../../src/storage/postgres/postgres.ts';

/** The settings of a short URL with access rules. */
export interface RestrictedUrl {
  originalUrl?: string;
  password?: string;
  isOneTime?: boolean;
  maxClicks?: number;
  fallbackUrl?: string;
  title?: string;
  notes?: string;
  startsAt?: Date;
  expiresAt?: Date;
  isActive?: boolean;
}

/** Inserts a short URL by SQL, with its counters; resolves to its short code. */
export async function insertRestrictedUrl(db: Knex, url: RestrictedUrl): Promise<string> {
  const result = await db.raw<{ rows: { shortCode: string }[] }>(
    `with u as (
       insert into urls (short_code, original_url, code_is_generated, password_hash, is_one_time, max_clicks, fallback_url, title,
         notes, starts_at, expires_at, is_active)
       values (substr(md5(random()::text), 1, 10), :originalUrl, true, :passwordHash, :isOneTime, :maxClicks, :fallbackUrl, :title,
         :notes, :startsAt, :expiresAt, :isActive)
       returning id, short_code
     ), stats as (
       insert into url_stats (url_id) select id from u
     )
     select short_code as "shortCode" from u`,
    {
      originalUrl: url.originalUrl ?? 'https://example.com/behind-the-gate',
      passwordHash: url.password === undefined ? null : cheapHash(url.password),
      isOneTime: url.isOneTime ?? false,
      maxClicks: url.maxClicks ?? null,
      fallbackUrl: url.fallbackUrl ?? null,
      title: url.title ?? null,
      notes: url.notes ?? null,
      startsAt: url.startsAt ?? null,
      expiresAt: url.expiresAt ?? null,
      isActive: url.isActive ?? true,
    },
  );
  return onlyRow(result).shortCode;
}

/** Deletes a short URL without firing triggers, so that no web process is notified. */
export async function deleteUnnoticed(db: Knex, shortCode: string): Promise<void> {
  await db.transaction(async (trx) => {
    await trx.raw('set local session_replication_role = replica');
    await trx('urls').where({ short_code: shortCode }).update({ deleted_at: trx.fn.now() });
  });
}

/** A hash with minimal cost: test passwords are no secrets. */
function cheapHash(password: string): string {
  const salt = Buffer.alloc(18, 'salt');
  const hash = scryptSync(password.normalize('NFKC'), salt, 32, { N: 2, r: 1, p: 1 });
  return `$scrypt$ln=1,r=1,p=1$${salt.toString('base64')}$${hash.toString('base64').replaceAll('=', '')}`;
}
