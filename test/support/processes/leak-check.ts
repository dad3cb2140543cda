import { afterAll, afterEach, vi } from 'vitest';
import { takeOpenResources } from '../resources.ts';
import { killLeftProcesses } from './launch.ts';

/** Restores clocks and functions that a failed test replaced, because the next file may share this process. */
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
});

/** Fails a test file that leaves connections, processes or servers open. */
afterAll(() => {
  const left = takeOpenResources();
  killLeftProcesses();
  if (left.length > 0) throw new Error(`left open: ${left.join(', ')}`);
});
