import { Overloaded } from '../resilience/overloaded.ts';
import { isPostgresUnavailable } from '../storage/postgres/postgres.ts';
import { accessRuleOf, type CachedUrl, type EvaluatedEntry } from './cache/entry.ts';
import { createUrlLookup, type Found, type LookupDeps, type Tier } from './lookup.ts';
import { UrlBlocked, UrlExpired, UrlNotFound } from './url.ts';

/** Resolves short codes: evaluates what the look-up finds, and counts the outcomes. */
export function createUrlResolver(
  deps: LookupDeps & {
    /** Is called with each code that is not found; not with expired ones. */
    onNotFound?: (shortCode: string) => void;
  },
) {
  const { memoryCache, onNotFound } = deps;
  const { lookUp: find, unusableUrls } = createUrlLookup(deps);
  /** Plain numbers, because a counter library is too slow for the redirect path. */
  const resolved = {
    memory: 0,
    redis: 0,
    database: 0,
    stale: 0,
    not_found: 0,
    expired: 0,
    blocked: 0,
    prefetch: 0,
    unavailable: 0,
    error: 0,
  };

  async function lookUp(shortCode: string, isThrottled: boolean): Promise<Found> {
    try {
      return await find(shortCode, isThrottled);
    } catch (error) {
      resolved[error instanceof Overloaded || isPostgresUnavailable(error) ? 'unavailable' : 'error'] += 1;
      throw error;
    }
  }

  function countNotFound(shortCode: string, entry: EvaluatedEntry): void {
    resolved.not_found += 1;
    if ('negative' in entry) onNotFound?.(shortCode);
  }

  function expired(fallbackUrl?: string | null): Error {
    resolved.expired += 1;
    return new UrlExpired('the short URL has expired', fallbackUrl);
  }

  function blocked(): Error {
    resolved.blocked += 1;
    return new UrlBlocked('the short URL leads to a blocked host');
  }

  return {
    /** Resolves a short code from the memory cache only; undefined if it is not cached, has expired, is blocked or has an
     *  access rule. Counts one that is not found; otherwise the caller counts the outcome with `count`. */
    resolveFromMemory(shortCode: string, now: number): CachedUrl | 'not_found' | undefined {
      const entry = memoryCache.find(shortCode);
      if (entry === undefined) return undefined;
      if ('url' in entry && redirectsAtOnce(entry.url, now)) return entry.url;
      if (!isNotFound(entry, now)) return undefined;
      countNotFound(shortCode, entry);
      return 'not_found';
    },

    /** Resolves a short code at `now`, through all tiers and whether or not it has an access rule. Throttled clients
     *  read the database after all others. Calls `onTier` with the tier that had the short URL; the caller then counts
     *  the outcome with `count`. Throws UrlNotFound, UrlExpired, UrlBlocked, Overloaded, or the error of PostgreSQL. */
    async resolve(
      shortCode: string,
      now: number,
      isThrottled = false,
      onTier?: (tier: Tier) => void,
    ): Promise<CachedUrl> {
      const { entry, tier } = await lookUp(shortCode, isThrottled);
      if (isNotFound(entry, now)) {
        countNotFound(shortCode, entry);
        throw new UrlNotFound('short URL not found');
      }
      if ('negative' in entry) throw expired();
      const url = urlOf(entry);
      if (hasExpired(url, now)) throw expired(url.rules?.fallbackUrl);
      if ('blocked' in entry) throw blocked();
      if (onTier) onTier(tier);
      else resolved[tier] += 1;
      return url;
    },

    /** Counts a redirect once its outcome is certain; a count is never reverted. `prefetch`: the browser loads the
     *  page in advance. */
    count(outcome: Tier | 'prefetch' | 'unavailable' | 'error'): void {
      resolved[outcome] += 1;
    },

    /** Short URLs that cannot redirect because another program stored an unusable URL. */
    unusableUrls,

    /** The number of resolved short codes by outcome. */
    resolved: resolved as Readonly<typeof resolved>,
  };
}

// Written so that NaN counts as expired.
const hasExpired = ({ expiresAtMs }: CachedUrl, now: number) => expiresAtMs !== null && !(expiresAtMs > now);

const hasStarted = ({ rules }: CachedUrl, now: number) =>
  rules === undefined || rules.startsAtMs === null || rules.startsAtMs <= now;

const urlOf = (entry: Exclude<EvaluatedEntry, { negative: unknown }>) =>
  'blocked' in entry ? entry.blocked : entry.url;

const isNotFound = (entry: EvaluatedEntry, now: number) =>
  'negative' in entry ? entry.negative === 'not_found' : !hasStarted(urlOf(entry), now);

const redirectsAtOnce = (url: CachedUrl, now: number) =>
  !hasExpired(url, now) &&
  (url.rules === undefined || (hasStarted(url, now) && accessRuleOf(url) === undefined));
