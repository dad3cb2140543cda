import { getHeapStatistics, setFlagsFromString } from 'node:v8';

/** Above this limit V8 lets the heap grow to four times what was in use after the last full collection; below it, at most twice. */
const largeHeapBytes = 2 * 1024 ** 3;

/** Has V8 collect garbage sooner. Set in the process, so that it holds however that is started; V8 reads both options each time
 *  that it needs them. */
export function limitHeapGrowth(): void {
  if (getHeapStatistics().heap_size_limit >= largeHeapBytes) setFlagsFromString('--heap-growing-percent=100');
  // After a burst of pipelined requests V8 expects the objects of requests to last, and allocates some of them among old objects.
  // There they are garbage that keeps what is younger until the next full collection.
  setFlagsFromString('--no-allocation-site-pretenuring');
}
