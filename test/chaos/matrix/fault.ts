import type { Settings } from '../../support/processes/launch.ts';
import type { Stack } from './stack.ts';

/** A fault that is injected into a running stack. */
export interface Fault {
  /** Name for `--only`. */
  name: string;
  /** Description for the report, as a sentence. */
  description: string;
  /** Number of injections. */
  times: number;
  /** Injects the fault once and repairs it. Throws when the injection fails. */
  inject: (stack: Stack, turn: number) => Promise<unknown>;
  /** Whether Redis keeps its data when it is killed; true by default. */
  appendonly?: boolean;
  /** Settings of the processes that differ from the defaults. */
  settings?: Settings;
  /** Whether the fault moves clocks. */
  fakeClocks?: boolean;
  /** Whether all requests must succeed. */
  requiresSuccess?: boolean;
  /** Whether an earlier state replaces the database: later clicks may be missing, and `reconcile` must list the new
   *  epoch. */
  losesDatabase?: boolean;
  /** Whether losses are reported but allowed: a double fault, or a setting without the guarantee. */
  allowsLoss?: boolean;
  /** Whether the control runs too, and must lose or double-count clicks. */
  breaksControl?: boolean;
}
