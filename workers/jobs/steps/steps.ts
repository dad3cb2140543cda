import type { JobContext } from '../../job-context.ts';

/** A part of a job that can fail without keeping the other parts from running. */
export interface Step {
  name: string;
  run: () => Promise<void>;
}

export interface StepFailure {
  step: string;
  error: unknown;
}

/** Runs each step until the job is interrupted, and resolves to the steps that failed. Calls `probe` after each failure: when PostgreSQL
 *  is unavailable it rejects, and no further step is tried. */
export async function runSteps(
  steps: Step[],
  { signal, probe }: { signal: JobContext['signal']; probe: () => Promise<unknown> },
): Promise<StepFailure[]> {
  const failures: StepFailure[] = [];
  for (const { name, run } of steps) {
    if (signal.aborted) break;
    try {
      await run();
    } catch (error) {
      failures.push({ step: name, error });
      await probe();
    }
  }
  return failures;
}

/** Throws an error that names the first of these failures, if there is any. */
export function throwFailures(failures: StepFailure[]): void {
  const [first] = failures;
  if (first === undefined) return;
  const reason = first.error instanceof Error ? first.error.message : String(first.error);
  const count = failures.length === 1 ? 'one step' : `${failures.length} steps`;
  throw new Error(`${count} failed; first failure: ${first.step}: ${reason}`, { cause: first.error });
}
