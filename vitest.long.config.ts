import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import usual, { long } from './vitest.config.ts';

/** Files of a minute or more, mostly of waiting. */
const longest = ['analytics-speed', 'command-line', 'day', 'loop-watchdog', 'worker-kill', 'worker-liveness'];

/** Starts the longest files first: begun last, one of them would be all that a run still waits for. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification) =>
      longest.some((name) => moduleId.endsWith(`/${name}.test.ts`));
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => Number(isLong(b)) - Number(isLong(a)));
  }
}

/** `npm run test:long`: what takes too long to be waited for while one works. */
export default defineConfig({
  test: {
    ...usual.test,
    include: long,
    exclude: [],
    // Most keep several processes busy, or wait for them.
    maxWorkers: 4,
    // Only a test that hangs reaches them, on a busy machine too.
    testTimeout: 2.5 * usual.test!.testTimeout!,
    hookTimeout: 2.5 * usual.test!.hookTimeout!,
    sequence: { sequencer: LongestFirst },
  },
});
