import type { Log } from '../../log.ts';
import { withDeadline } from '../../resilience/shutdown.ts';
import type { Child } from './child.ts';

/** How long a new web process may take until it listens, before the old one is kept instead. */
const startMs = 30_000;
/** A web process that has listened for less has died of its start. */
const earlyMs = 10_000;
/** So many such deaths in a row are no accident. */
const maxEarlyDeaths = 3;
const pauseMs = (earlyDeaths: number) => (earlyDeaths === 0 ? 0 : Math.min(50 * 2 ** earlyDeaths, 10_000));

/** The place of one web process: whenever the one in it has ended, it is given to another. */
export function createSlot(deps: {
  start: () => Child;
  /** Longest time that a web process may take to end. */
  endMs: number;
  /** Nobody who was given the place has lived, several times in a row. */
  onHopeless: () => void;
  log: Log;
}) {
  const { start, endMs, onHopeless, log } = deps;
  let isOpen = true;
  let earlyDeaths = 0;
  let child = give(start());

  function give(newcomer: Child): Child {
    void newcomer.ended.then((ending) => {
      if (isOpen && child === newcomer) fillAgain(newcomer, ending);
    });
    return newcomer;
  }

  function fillAgain(dead: Child, ending: number | string) {
    log.warn({ child: dead.pid, ending }, 'a web process has ended');
    earlyDeaths = dead.ageMs < earlyMs ? earlyDeaths + 1 : 0;
    if (earlyDeaths >= maxEarlyDeaths) onHopeless();
    setTimeout(() => {
      if (isOpen && child === dead) child = give(start());
    }, pauseMs(earlyDeaths));
  }

  return {
    get child() {
      return child;
    },

    /** Starts a new web process, gives it the place when it listens, and ends the old one. Rejects when the new one does not
     *  come to listen: the old one keeps the place. */
    async replace(): Promise<void> {
      const newcomer = start();
      if (!(await withDeadline(newcomer.started, startMs, () => false))) {
        newcomer.kill();
        throw new Error('a new web process did not come to listen');
      }
      const old = child;
      child = give(newcomer);
      await old.tellReplaced();
      await old.end(endMs);
    },

    /** Gives the place to nobody from now on. */
    close(): void {
      isOpen = false;
    },
  };
}
