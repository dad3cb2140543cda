import type { CachedUrl, CacheEntry, JudgedEntry } from '../cache/entry.ts';
import { inOneSpelling } from '../input/host-name.ts';
import { reachedHosts } from '../input/reached-hosts.ts';
import type { BlockedHostStore } from './store.ts';

export type BlockedHosts = ReturnType<typeof createBlockedHosts>;

/** The blocked hosts by heart: those that PostgreSQL had when it answered last. A host is blocked with all hosts below it.
 *  `onChange` is called once what was judged before may be wrong. */
export function createBlockedHosts(deps: {
  store: Pick<BlockedHostStore, 'readIfChanged'>;
  onChange?: () => void;
}) {
  const { store, onChange } = deps;
  let blocked = new Set<string>();
  let version: number | null = null;
  let asked = 0;
  let answered = 0;

  async function refresh(): Promise<void> {
    const number = ++asked;
    const latest = await store.readIfChanged(version);
    // Of two answers the one that was asked for later counts.
    if (number < answered) return;
    answered = number;
    if (latest.hosts === null || latest.version === version) return;
    blocked = new Set(latest.hosts.split(' ').filter(Boolean).map(inOneSpelling));
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
    /** Forgets which list the next reading is compared with: numbers of another epoch say nothing about it. */
    forgetVersion(): void {
      version = null;
    },

    /** Reads the list, where it was changed. Throws what PostgreSQL throws. */
    refresh,

    /** Whether a URL leads to a blocked host. */
    isBlocked,

    /** What is known of a code, in the light of the list: it is not to lead to a blocked host, by its fallback neither. */
    judge(entry: CacheEntry): JudgedEntry {
      if ('gone' in entry || blocked.size === 0) return entry;
      const url = withAllowedFallback(entry.url);
      return isBlocked(url.originalUrl)
        ? { blocked: url, version: entry.version }
        : { url, version: entry.version };
    },
  };
}

/** The host above; undefined for the last one. */
function parentOf(host: string): string | undefined {
  const dot = host.indexOf('.');
  return dot === -1 ? undefined : host.slice(dot + 1);
}
