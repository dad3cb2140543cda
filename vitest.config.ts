import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { measureSlowness } from './test/support/processes/slowness.ts';

/** Files that take longest. */
const longest = [
  'web/service',
  'memory-cache-model',
  'api/imports',
  'recording/faults',
  'ops/health',
  'docs/openapi',
];

/** Starts the longest files first: started last, one of them would be all that a run still waits for. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification) =>
      longest.some((name) => moduleId.endsWith(`/${name}.test.ts`));
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => Number(isLong(b)) - Number(isLong(a)));
  }
}

/** Suites of `npm run test:long`. */
export const long = ['e2e', 'chaos', 'load', 'models', 'fuzz'].map((folder) => `test/${folder}/**/*.test.ts`);

/** For the limits of this run; a given one, such as `TEST_SLOWNESS=10 npm test`, is not measured. */
const slowness = Number(process.env['TEST_SLOWNESS']) || measureSlowness();

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: long,
    globalSetup: ['test/support/global-setup.ts'],
    setupFiles: ['test/support/processes/leak-check.ts', 'test/support/http/matchers.ts'],
    // Most tests wait for processes and stores rather than for a processor.
    maxWorkers: 4,
    // A fresh process for each file costs more than many a file; what one leaves open fails it anyway.
    isolate: false,
    sequence: { sequencer: LongestFirst },
    env: { TEST_SLOWNESS: String(slowness) },
    // Only a test that hangs reaches them: a machine may become busy in the middle of a run.
    testTimeout: 120_000 * slowness,
    hookTimeout: 120_000 * slowness,
    teardownTimeout: 30_000 * slowness,
  },
});
