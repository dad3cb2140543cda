import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { measureSlowness } from './test/support/slowness.ts';

/** Starts flows first: begun last, one of them would be all that a run still waits for. */
class FlowsFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isFlow = ({ moduleId }: TestSpecification) => moduleId.includes('/test/flows/');
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => Number(isFlow(b)) - Number(isFlow(a)));
  }
}

/** For the limits of this run; a given one, such as `TEST_SLOWNESS=10 npm test`, is not measured. */
const slowness = Number(process.env['TEST_SLOWNESS']) || measureSlowness();

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/faults/**', 'test/long/**'],
    globalSetup: ['test/support/global-setup.ts'],
    setupFiles: ['test/support/leaks.ts'],
    // Most flows wait for processes rather than for a processor.
    maxWorkers: 4,
    // A fresh process for each file costs more than many a file; what one leaves open fails it anyway.
    isolate: false,
    sequence: { sequencer: FlowsFirst },
    env: { TEST_SLOWNESS: String(slowness) },
    // Only a test that hangs reaches them: a machine may become busy in the middle of a run.
    testTimeout: 120_000 * slowness,
    hookTimeout: 120_000 * slowness,
    teardownTimeout: 30_000 * slowness,
  },
});
