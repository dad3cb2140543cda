import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { availableParallelism, loadavg } from 'node:os';

/** The maximum factor for time limits, so that a hanging test ends. */
const highest = 20;

/** Duration of `measureSlowness` in milliseconds on an idle processor of 2023. */
const usualMs = { hashing: 110, starting: 50 };
const hashes = 60_000;
const starts = 3;

/** Measures how many times longer than on an idle machine a computation and a process start take under the current
 *  load: at least 1. Takes about 0.25 s times the result. */
export function measureSlowness(): number {
  const hashingMs = timeOf(() => {
    let digest = 'linkmill';
    for (let i = 0; i < hashes; i++) digest = createHash('sha256').update(digest).digest('hex');
  });
  const startingMs = timeOf(() => {
    for (let i = 0; i < starts; i++) spawnSync(process.execPath, ['-e', '0']);
  });
  return bounded(Math.max(hashingMs / usualMs.hashing, startingMs / (starts * usualMs.starting)));
}

/** The current factor for time limits, from 1 to 20: the slowness measured at the start of the run (`TEST_SLOWNESS`),
 *  or the number of runnable processes per processor if that is higher. */
export function readSlowness(): number {
  const measured = Number(process.env['TEST_SLOWNESS'] ?? 1);
  return bounded(Math.max(measured, (loadavg()[0] ?? 0) / availableParallelism()));
}

function bounded(factor: number): number {
  return Math.min(highest, Math.max(1, factor));
}

function timeOf(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}
