import type { JobData, JobName } from '../src/jobs.ts';

/** What whoever runs a job gives it: a place to report progress to. */
export interface JobContext {
  /** How much of the work is done; cheap enough to be called once per slice. */
  reportProgress: (progress: Progress) => Promise<void>;
}

export interface Progress {
  done: number;
  total: number;
  /** done / total in whole per cent: what Bull Board draws its bar from. */
  percent: number;
}

export type Summary = Record<string, unknown>;

/** A job as a plain function: idempotent, safe beside itself, BullMQ out of sight. */
export type Processor<Name extends JobName> = (data: JobData[Name], context: JobContext) => Promise<Summary>;

/** One for each entry of the catalogue; a missing one does not compile. */
export type Processors = { [Name in JobName]: Processor<Name> };

/** The progress of `done` out of `total`; what turned out to be more than expected counts as all of it. */
export function progressOf(done: number, total: number): Progress {
  return {
    done,
    total: Math.max(done, total),
    percent: total <= done ? 100 : Math.floor((100 * done) / total),
  };
}
