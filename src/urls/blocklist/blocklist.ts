import type { CachedUrl, CacheEntry, EvaluatedEntry } from '../cache/entry.ts';
import { normaliseHost } from '../input/host-name.ts';
import { reachedHosts } from '../input/reached-hosts.ts';
import type { BlockedHostStore } from './store.ts';

export type BlockedHosts = ReturnType<typeof createBlockedHosts>;

/** The blocklist in memory, as PostgreSQL last returned it. A blocked host includes all its subdomains. `onChange` is
 *  called when earlier evaluations may be wrong. */
export function createBlockedHosts(deps: {
  store: Pick<BlockedHostStore, 'readIfChanged'>;
  onChange?: () => void;
}) {
  const { store, onChange } = deps;
  let blocked = new Set<string>();
  let version: number | null = null;
  let requested = 0;
  let answered = 0;

  async function refresh(): Promise<void> {
    const number = ++requested;
    const latest = await store.readIfChanged(version);
    // Keep the answer of the later request when answers arrive out of order.
    if (number < answered) return;
    answered = number;
    if (latest.hosts === null || latest.version === version) return;
    blocked = new Set(latest.hosts.split(' ').filter(Boolean).map(normaliseHost));
    ({ version } = latest);
    onChange?.();
  }

  function isBlocked(url: string): boolean {
    if (blocked.size === 0) return false;
    return reachedHosts(url).some((reached) => {
      for (let host: string | undefined = reached; host; host = parentOf(host))
        if (blocked.has(host)) return true;
      return false;
    });
  }

  function withAllowedFallback(url: CachedUrl): CachedUrl {
    const { rules } = url;
    if (rules?.fallbackUrl == null || !isBlocked(rules.fallbackUrl)) return url;
    return { ...url, rules: { ...rules, fallbackUrl: null } };
  }

  return {
    /** Forgets the list's version: versions of another epoch cannot be compared. */
    forgetVersion(): void {
      version = null;
    },

    /** Reads the list if it has changed. Throws the error of PostgreSQL. */
    refresh,

    /** Whether a URL leads to a blocked host. */
    isBlocked,

    /** Applies the list to a cache entry: a blocked original URL makes it blocked, a blocked fallback URL is removed. */
    evaluate(entry: CacheEntry): EvaluatedEntry {
      if ('negative' in entry || blocked.size === 0) return entry;
      const url = withAllowedFallback(entry.url);
      return isBlocked(url.originalUrl)
        ? { blocked: url, version: entry.version }
        : { url, version: entry.version };
    },
  };
}

/** The parent domain; undefined for a top-level one. */
function parentOf(host: string): string | undefined {
  const dot = host.indexOf('.');
  return dot === -1 ? undefined : host.slice(dot + 1);
}
