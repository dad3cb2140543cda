import type { Log } from '../log.ts';
import type { BlockedHostStore } from './blocked-host-store.ts';
import type { CachedUrl, CacheEntry, JudgedEntry } from './cache-entry.ts';
import { hostNameOf } from './host-name.ts';

/** How often a process asks whether the list was changed: what is blocked is so everywhere within 2 s. */
const lookEveryMs = 1_000;

export type BlockedHosts = ReturnType<typeof createBlockedHosts>;

/** The blocked hosts as a process knows them, by heart: those that PostgreSQL had when it answered last. A host is blocked with all
 *  hosts below it. `onChange` is called once what was judged before may be wrong. */
export function createBlockedHosts(deps: {
  store: Pick<BlockedHostStore, 'readIfChanged'>;
  onChange: () => void;
  log: Log;
}) {
  const { store, onChange, log } = deps;
  let blocked = new Set<string>();
  let version: number | null = null;
  let asked = 0;
  let answered = 0;
  let looking: Promise<void> | undefined;
  let hasWarned = false;
  const timer = setInterval(() => void look(), lookEveryMs);

  async function refresh(): Promise<void> {
    const number = ++asked;
    const latest = await store.readIfChanged(version);
    // Of two answers the one that was asked for later counts.
    if (number < answered) return;
    answered = number;
    if (latest.hosts === null || latest.version === version) return;
    blocked = new Set(latest.hosts.split(' ').filter(Boolean));
    ({ version } = latest);
    onChange();
  }

  async function lookOnce(): Promise<void> {
    try {
      await refresh();
      hasWarned = false;
    } catch (error) {
      if (!hasWarned) log.warn({ err: error }, 'the blocked hosts could not be read: those of before stay');
      hasWarned = true;
    }
  }

  /** The same, where PostgreSQL answers; one look at a time. */
  function look(): Promise<void> {
    looking ??= lookOnce().finally(() => {
      looking = undefined;
    });
    return looking;
  }

  function isBlocked(url: string): boolean {
    if (blocked.size === 0) return false;
    for (let host = hostNameOf(url); host; host = parentOf(host)) if (blocked.has(host)) return true;
    return false;
  }

  function withAllowedFallback(url: CachedUrl): CachedUrl {
    const { rules } = url;
    if (rules?.fallbackUrl == null || !isBlocked(rules.fallbackUrl)) return url;
    return { ...url, rules: { ...rules, fallbackUrl: null } };
  }

  return {
    /** Reads the list, where it was changed. Throws what PostgreSQL throws. */
    refresh,

    look,

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

    stop: () => clearInterval(timer),
  };
}

/** The host above; undefined for the last one. */
function parentOf(host: string): string | undefined {
  const dot = host.indexOf('.');
  return dot === -1 ? undefined : host.slice(dot + 1);
}
