import { autocannonLoad } from './autocannon.ts';
import type { LoadGenerator } from './load.ts';
import { findWrk } from './wrk.ts';

/** wrk if it is installed or Debian's packages have it, else autocannon. The report names the reason, because autocannon needs more CPU. */
export async function findLoadGenerator(print: (line: string) => void): Promise<LoadGenerator> {
  try {
    return await findWrk();
  } catch (error) {
    print(`using autocannon, which needs more CPU than wrk: ${String(error)}`);
    return autocannonLoad;
  }
}
