import type { JobData, JobName } from '../../src/queues/jobs.ts';

/** What whoever runs a job gives it. */
export interface JobContext {
  /** How much of the work is done, in whole per cent; cheap enough to be called once per slice. */
  reportProgress: (percent: number) => Promise<void>;
  /** Aborted when the process is shutting down: a job of many slices then ends after the one in hand, and says
   *  `interrupted` in its summary. */
  signal: AbortSignal;
}

export type Summary = Record<string, unknown>;

/** A job as a plain function: idempotent, safe beside itself, BullMQ out of sight. */
export type Processor<Name extends JobName> = (data: JobData[Name], context: JobContext) => Promise<Summary>;

/** One for each entry of the catalogue; a missing one does not compile. */
export type Processors = { [Name in JobName]: Processor<Name> };

/** `done` of `total` in whole per cent; what turned out to be more than expected counts as all of it. */
export function percentOf(done: number, total: number): number {
  return total <= done ? 100 : Math.floor((100 * done) / total);
}
