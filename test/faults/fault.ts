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
  /** Whether clocks are moved. */
  fakeClocks?: boolean;
  /** Whether no request may fail. */
  failsNothing?: boolean;
  /** A double fault: what is lost is shown and not judged. */
  notPromised?: boolean;
  /** Whether the control, too, is put through it, and must lose or double clicks. */
  breaksControl?: boolean;
}
