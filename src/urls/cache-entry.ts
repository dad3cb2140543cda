import type { ShortUrl, StoredUrl } from './url.ts';

/** Why a code leads nowhere: expired ones answer differently from unknown, deleted and disabled ones. */
export type GoneReason = 'expired' | 'not found';

/** What a redirect needs to know of a short URL. */
export interface CachedUrl {
  id: number;
  originalUrl: string;
  /** Milliseconds since 1970. */
  expiresAtMs: number | null;
}

/** What is known of a code, as of a version; an unknown code has version 0. */
export type CacheEntry = ({ url: CachedUrl } | { gone: GoneReason }) & { version: number };

/** What a cache is to know of a short URL, as of now. */
export function toCacheEntry(url: StoredUrl): CacheEntry {
  if (url.isActive && !url.isDeleted) return { url: toCachedUrl(url), version: url.version };
  // The clean-up disables what has expired; whatever else is disabled was disabled by somebody.
  const hasExpired = !url.isDeleted && url.expiresAt !== null && url.expiresAt.getTime() <= Date.now();
  return { gone: hasExpired ? 'expired' : 'not found', version: url.version };
}

export function toCachedUrl({ id, originalUrl, expiresAt }: ShortUrl): CachedUrl {
  return { id, originalUrl, expiresAtMs: expiresAt?.getTime() ?? null };
}

const tombstones: Record<GoneReason, string> = { 'not found': '404', expired: '410' };

/** An entry without its version, as text: "id,expiry in ms or nothing,original URL", half the size of JSON, and no parser to
 *  trip over; or a tombstone. */
export function encodeEntry(entry: { url: CachedUrl } | { gone: GoneReason }): string {
  if ('gone' in entry) return tombstones[entry.gone];
  const { id, expiresAtMs, originalUrl } = entry.url;
  return `${id},${expiresAtMs ?? ''},${originalUrl}`;
}

/** The entry that stands behind "version:"; undefined when it is not ours, or of a later release: the table knows better. */
export function decodeEntry(value: string): CacheEntry | undefined {
  const separator = value.indexOf(':');
  const version = Number(value.slice(0, separator));
  const body = value.slice(separator + 1);
  if (body === tombstones['not found']) return { gone: 'not found', version };
  if (body === tombstones.expired) return { gone: 'expired', version };
  const [, id, expiresAtMs, originalUrl] = /^(\d+),(\d*),(.+)$/.exec(body) ?? [];
  if (id === undefined || originalUrl === undefined) return undefined;
  return {
    url: { id: Number(id), originalUrl, expiresAtMs: expiresAtMs ? Number(expiresAtMs) : null },
    version,
  };
}
