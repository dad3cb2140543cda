import { readServedUrl } from '../input/served-url.ts';
import type { ShortUrl, StoredUrl } from '../url.ts';

/** Why a negative entry exists: expired short URLs answer 410; unknown, deleted and disabled ones answer 404. */
export type NegativeReason = 'expired' | 'not_found';

/** The fields of a short URL that a redirect needs. */
export interface CachedUrl {
  id: number;
  originalUrl: string;
  /** Milliseconds since 1970. */
  expiresAtMs: number | null;
  /** Undefined for most short URLs, which have default settings. */
  rules?: RedirectRules;
}

/** The settings of a redirect other than its original URL and expiry. */
export interface RedirectRules {
  /** Milliseconds since 1970; before it, visitors get 404. */
  startsAtMs: number | null;
  /** Where it redirects once it has expired or has reached its click limit. */
  fallbackUrl: string | null;
  redirectStatus: number | null;
  redirectMaxAgeSeconds: number | null;
  /** Whether the visitor's query is appended to the original URL. */
  forwardQuery: boolean;
  isOneTime: boolean;
  /** Whether it requires a password. */
  isProtected: boolean;
  /** The click limit. */
  maxClicks: number | null;
}

/** What a visitor must pass before the redirect: an interstitial page, or a click limit that only PostgreSQL can
 *  check. */
export type AccessRule = 'page' | 'limit';

/** The access rule of a short URL; most have none. */
export function accessRuleOf({ rules }: CachedUrl): AccessRule | undefined {
  if (rules === undefined) return undefined;
  if (rules.isOneTime || rules.isProtected) return 'page';
  return rules.maxClicks === null ? undefined : 'limit';
}

/** A positive or negative cache entry with its version; an unknown code has version 0. */
export type CacheEntry = ({ url: CachedUrl } | { negative: NegativeReason }) & { version: number };

/** A cache entry after the blocklist was applied; `blocked` leads to a blocked host. */
export type EvaluatedEntry = CacheEntry | { blocked: CachedUrl; version: number };

/** The version under which a cache stores a row: above the floor of the database's epoch. A short URL that has not
 *  changed in this epoch gets the first version above the floor; a code without a version gets the floor itself. */
export const liftVersion = (version: number, floor: number): number =>
  Math.max(version, version === 0 ? floor : floor + 1);

/** Converts a row to a cache entry. A short URL whose original URL cannot be a `Location` header is not found. */
export function toCacheEntry(url: ShortUrl & Partial<StoredUrl>): CacheEntry {
  const { version, isDeleted = false, hasEnded = false } = url;
  const usesFallback = hasEnded && url.fallbackUrl !== null;
  if ((url.isActive || usesFallback) && !isDeleted) {
    const served = toCachedUrl(url);
    return served ? { url: served, version } : { negative: 'not_found', version };
  }
  return { negative: hasEnded && !isDeleted ? 'expired' : 'not_found', version };
}

/** The field whose URL cannot be a `Location` header, because another program wrote it. */
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

/** Only null means no limit; a missing or non-numeric value is an error. */
function limitOf(limit: number | null): number | null {
  if (limit !== null && !Number.isFinite(limit)) throw new Error('short URL has an invalid limit');
  return limit;
}

const timeOf = (time: Date | null) => limitOf(time === null ? null : time.getTime());
