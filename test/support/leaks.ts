import { afterAll } from 'vitest';
import { openResources } from './resources.ts';

/** Fails a file that leaves connections, processes or servers open behind it. */
afterAll(() => {
  const left = openResources();
  if (left.length > 0) throw new Error(`left open: ${left.join(', ')}`);
});
