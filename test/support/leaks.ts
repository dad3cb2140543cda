import { afterAll } from 'vitest';
import { killLeftProcesses } from './launch.ts';
import { openResources } from './resources.ts';

/** Fails a file that leaves connections, processes or servers open behind it. */
afterAll(() => {
  const left = openResources();
  killLeftProcesses();
  if (left.length > 0) throw new Error(`left open: ${left.join(', ')}`);
});
