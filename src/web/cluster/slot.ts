import type { Log } from '../../log.ts';
import { withDeadline } from '../../resilience/shutdown.ts';
import type { ClusterWorker } from './child.ts';

/** How long a new web process may take to listen before its replacement of the old one is cancelled. */
const startMs = 30_000;
/** A web process that has listened for less than this has failed to start. */
const earlyExitMs = 10_000;
/** After this many failed starts in a row, the slot is hopeless. */
const maxEarlyExits = 3;
const backoffMs = (earlyExits: number) => (earlyExits === 0 ? 0 : Math.min(50 * 2 ** earlyExits, 10_000));

/** The slot of one web process, which is restarted whenever it exits. */
export function createSlot(deps: {
  start: () => ClusterWorker;
  /** Longest time that a web process may take to exit. */
  endMs: number;
  /** Is called when the slot's processes have failed to start several times in a row. */
  onHopeless: () => void;
  log: Log;
}) {
  const { start, endMs, onHopeless, log } = deps;
  let isOpen = true;
  let earlyExits = 0;
  let worker = assign(start());

  function assign(newWorker: ClusterWorker): ClusterWorker {
    void newWorker.ended.then((ending) => {
      if (isOpen && worker === newWorker) restart(newWorker, ending);
    });
    return newWorker;
  }

  function restart(old: ClusterWorker, ending: number | string) {
    log.warn({ pid: old.pid, ending }, 'restarting a web process that has exited');
    earlyExits = old.ageMs < earlyExitMs ? earlyExits + 1 : 0;
    if (earlyExits >= maxEarlyExits) onHopeless();
    setTimeout(() => {
      if (isOpen && worker === old) worker = assign(start());
    }, backoffMs(earlyExits));
  }

  return {
    get worker() {
      return worker;
    },

    /** Starts a new web process and, once it listens, ends the old one. Rejects if the new one does not listen in time; the old one stays. */
    async replace(): Promise<void> {
      const newWorker = start();
      if (!(await withDeadline(newWorker.started, startMs, () => false))) {
        newWorker.kill();
        throw new Error('the new web process did not listen in time');
      }
      const old = worker;
      worker = assign(newWorker);
      await old.notifyReplaced();
      await old.end(endMs);
    },

    /** Stops restarting. */
    close(): void {
      isOpen = false;
    },
  };
}
