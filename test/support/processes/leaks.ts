import { afterAll, afterEach, vi } from 'vitest';
import { takeOpenResources } from '../resources.ts';
import { killLeftProcesses } from './launch.ts';

/** A clock or function that a failed test has replaced is not the next one's, whose file may share this process. */
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
});

/** Fails a file that leaves connections, processes or servers open behind it. */
afterAll(() => {
  const left = takeOpenResources();
  killLeftProcesses();
  if (left.length > 0) throw new Error(`left open: ${left.join(', ')}`);
});
