import { defineConfig } from 'vitest/config';
import usual from './vitest.config.ts';

/** `npm run test:long`: what takes too long to be waited for while one works. */
export default defineConfig({
  // Most keep several processes busy.
  test: { ...usual.test, include: ['test/long/**/*.test.ts'], exclude: [], maxWorkers: 3 },
});
