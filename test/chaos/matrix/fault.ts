import type { Settings } from '../../support/processes/launch.ts';
import type { Stack } from './stack.ts';

/** Something bad that happens to a running stack. */
export interface Fault {
  /** As in `--only`. */
  name: string;
  /** What it does, in a sentence for people. */
  does: string;
  /** How often it is injected. */
  times: number;
  /** Injects it once, and heals it. Throws when it could not be injected. */
  inject: (stack: Stack, turn: number) => Promise<unknown>;
  /** Whether Redis keeps its data over a kill; it does unless this says otherwise. */
  appendonly?: boolean;
  /** Settings of the processes that are not the usual ones. */
  settings?: Settings;
  /** Whether clocks are moved. */
  fakeClocks?: boolean;
  /** Whether no request may fail. */
  failsNothing?: boolean;
  /** Whether an earlier state takes the place of the database: what was counted since may be missing, and `reconcile` must name
   *  the new epoch. */
  losesDatabase?: boolean;
  /** A double fault, or a setting that gives it up: what is lost is shown and not judged. */
  notPromised?: boolean;
  /** Whether the control, too, is put through it, and must lose or double clicks. */
  breaksControl?: boolean;
}
