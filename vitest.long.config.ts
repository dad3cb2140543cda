import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import usual, { long } from './vitest.config.ts';

/** Files of a minute or more, mostly of waiting. */
const longest = [
  'speed/dashboard',
  'speed/analytics',
  'command-line',
  'day',
  'loop-watchdog',
  'worker-kill',
  'worker-liveness',
];

/** Files that keep a browser busy, and judge no times beside their own. */
const browserFolder = '/e2e/dashboard/';

/** Starts the longest files first: begun last, one of them would be all that a run still waits for. Files of the dashboard come last: a
 *  browser needs a whole processor, which files that judge times would miss. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rankOf = ({ moduleId }: TestSpecification) => {
      if (moduleId.includes(browserFolder)) return 2;
      return longest.some((name) => moduleId.endsWith(`/${name}.test.ts`)) ? 0 : 1;
    };
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => rankOf(a) - rankOf(b));
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
