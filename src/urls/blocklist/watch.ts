import type { Log } from '../../log.ts';
import type { BlockedHosts } from './blocklist.ts';

/** How often a process asks whether the list was changed: what is blocked is so everywhere within 2 s. */
const lookEveryMs = 1_000;

/** Keeps a list of blocked hosts as PostgreSQL has it; while that is away, as it had it last. */
export function watchBlockedHosts(list: Pick<BlockedHosts, 'refresh'>, log: Log) {
  let looking: Promise<void> | undefined;
  let hasWarned = false;
  const timer = setInterval(() => void look(), lookEveryMs);

  async function lookOnce(): Promise<void> {
    try {
      await list.refresh();
      hasWarned = false;
    } catch (error) {
      if (!hasWarned) log.warn({ err: error }, 'the blocked hosts could not be read: those of before stay');
      hasWarned = true;
    }
  }

  /** Asks now; one question at a time. */
  function look(): Promise<void> {
    looking ??= lookOnce().finally(() => {
      looking = undefined;
    });
    return looking;
  }

  return { look, stop: () => clearInterval(timer) };
}
