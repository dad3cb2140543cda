import { readServedUrl } from '../input/served-url.ts';
import type { ShortUrl, StoredUrl } from '../url.ts';

/** Why a code leads nowhere: expired ones answer differently from unknown, deleted and disabled ones. */
export type GoneReason = 'expired' | 'not found';

/** What a redirect needs to know of a short URL. */
export interface CachedUrl {
  id: number;
  originalUrl: string;
  /** Milliseconds since 1970. */
  expiresAtMs: number | null;
  /** Undefined for most: nothing else was decided about them. */
  rules?: RedirectRules;
}

/** What was decided about a redirect besides where it leads and until when. */
export interface RedirectRules {
  /** Milliseconds since 1970; before it, the code is unknown to visitors. */
  startsAtMs: number | null;
  /** Where it leads once it has expired or is used up. */
  fallbackUrl: string | null;
  redirectStatus: number | null;
  redirectMaxAgeSeconds: number | null;
  /** Whether the visitor's query is added to the original URL. */
  forwardQuery: boolean;
  isOneTime: boolean;
  /** Whether it asks for a password. */
  isProtected: boolean;
  /** Redirects that it is good for. */
  maxClicks: number | null;
}

/** What stands between a visitor and the original URL: a page on which the visitor must ask for it, or a limit of which only
 *  PostgreSQL knows how much is left. */
export type Gate = 'page' | 'limit';

/** The gate of a short URL; most have none. */
export function accessRuleOf({ rules }: CachedUrl): Gate | undefined {
  if (rules === undefined) return undefined;
  if (rules.isOneTime || rules.isProtected) return 'page';
  return rules.maxClicks === null ? undefined : 'limit';
}

/** What is known of a code, as of a version; an unknown code has version 0. */
export type CacheEntry = ({ url: CachedUrl } | { gone: GoneReason }) & { version: number };

/** The same for a process that knows which hosts are blocked; `blocked` leads to one of them. */
export type JudgedEntry = CacheEntry | { blocked: CachedUrl; version: number };

/** The version under which a cache keeps what the table has: above the floor of the database's epoch. A short URL that has not
 *  changed in this epoch has the first version above it; a code that never had a version has the floor itself. */
export const liftVersion = (version: number, floor: number): number =>
  Math.max(version, version === 0 ? floor : floor + 1);

/** What a cache is to know of a short URL, as of now. One whose original URL no redirect can carry is not found. */
export function toCacheEntry(url: ShortUrl & Partial<StoredUrl>): CacheEntry {
  const { version, isDeleted = false, hasEnded = false } = url;
  const leadsOn = hasEnded && url.fallbackUrl !== null;
  if ((url.isActive || leadsOn) && !isDeleted) {
    const served = toCachedUrl(url);
    return served ? { url: served, version } : { gone: 'not found', version };
  }
  return { gone: hasEnded && !isDeleted ? 'expired' : 'not found', version };
}

/** The field of a short URL that holds no URL that a redirect can carry: another program wrote it. */
export function findUnusableUrl(url: ShortUrl): 'original_url' | 'fallback_url' | undefined {
  if (readServedUrl(url.originalUrl) === undefined) return 'original_url';
  if (url.fallbackUrl !== null && readServedUrl(url.fallbackUrl) === undefined) return 'fallback_url';
  return undefined;
}

function toCachedUrl(url: ShortUrl): CachedUrl | undefined {
  const { id, expiresAt } = url;
  const originalUrl = readServedUrl(url.originalUrl);
  if (originalUrl === undefined) return undefined;
  const plain = { id, originalUrl, expiresAtMs: timeOf(expiresAt) };
  const rules = toRules(url);
  const isPlain = Object.values(rules).every((rule) => rule === null || rule === false);
  return isPlain ? plain : { ...plain, rules };
}

const toRules = (url: ShortUrl): RedirectRules => ({
  startsAtMs: timeOf(url.startsAt),
  fallbackUrl: url.fallbackUrl === null ? null : (readServedUrl(url.fallbackUrl) ?? null),
  redirectStatus: url.redirectStatus,
  redirectMaxAgeSeconds: url.redirectMaxAgeSeconds,
  forwardQuery: url.forwardQuery,
  isOneTime: url.isOneTime,
  isProtected: url.passwordHash !== null,
  maxClicks: limitOf(url.maxClicks),
});

/** Only null is no limit: what is missing or no number is an error. */
function limitOf(limit: number | null): number | null {
  if (limit !== null && !Number.isFinite(limit)) throw new Error('a limit of a short URL cannot be read');
  return limit;
}

const timeOf = (time: Date | null) => limitOf(time === null ? null : time.getTime());
