import type { JobData, JobName } from '../src/queues/jobs.ts';

/** What a processor receives with the data of its job. */
export interface JobContext {
  /** Reports the finished share in whole per cent; cheap enough for each slice. */
  reportProgress: (percent: number) => Promise<void>;
  /** Aborted when the process shuts down: the job then ends after the slice in progress, with `interrupted` in its summary. */
  signal: AbortSignal;
}

export type Summary = Record<string, unknown>;

/** A job as a plain function without BullMQ: idempotent, and safe to run concurrently. */
export type Processor<Name extends JobName> = (data: JobData[Name], context: JobContext) => Promise<Summary>;

/** One for each entry of the catalogue; a missing one does not compile. */
export type Processors = { [Name in JobName]: Processor<Name> };

/** `done` of `total` in whole per cent, at most 100. */
export function percentOf(done: number, total: number): number {
  return total <= done ? 100 : Math.floor((100 * done) / total);
}
