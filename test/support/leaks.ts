import { afterAll } from 'vitest';
import { killLeftProcesses } from './launch.ts';
import { takeOpenResources } from './resources.ts';

/** Fails a file that leaves connections, processes or servers open behind it. */
afterAll(() => {
  const left = takeOpenResources();
  killLeftProcesses();
  if (left.length > 0) throw new Error(`left open: ${left.join(', ')}`);
});
