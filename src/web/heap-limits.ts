import { getHeapStatistics, setFlagsFromString } from 'node:v8';

/** Above this limit V8 lets the heap grow to four times its size after the last full collection; below it, at most twice. */
const largeHeapBytes = 2 * 1024 ** 3;

/** Makes V8 collect garbage sooner. The flags are set at run time, so that they apply however the process is started; V8 reads them on
 *  each use. */
export function limitHeapGrowth(): void {
  if (getHeapStatistics().heap_size_limit >= largeHeapBytes) setFlagsFromString('--heap-growing-percent=100');
  // After a burst of pipelined requests, V8 expects request objects to be long-lived and allocates some of them in the old generation.
  // As garbage there, they retain younger objects until the next full collection.
  setFlagsFromString('--no-allocation-site-pretenuring');
}
