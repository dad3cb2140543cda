import type { ClickStore } from '../../../../src/clicks/ledger/apply.ts';
import type { Step, Stores } from './stores.ts';

/** Wraps the stores with a step before and after each command. */
export function withSteps(
  stores: Stores,
  step: Step,
): Pick<Stores, 'stream'> & { store: Pick<ClickStore, 'apply' | 'findApplied'> } {
  const around =
    <Args extends unknown[], Result>(name: string, command: (...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      await step(name);
      const result = await command(...args);
      await step(`${name}: answer`);
      return result;
    };
  return {
    stream: {
      send: around('send', stores.stream.send),
      readPending: around('readPending', stores.stream.readPending),
      delete: around('delete', stores.stream.delete),
      length: around('length', stores.stream.length),
    },
    store: {
      apply: around('apply', async (batches) => await stores.apply(batches, step)),
      findApplied: around('find applied', stores.findApplied),
    },
  };
}

const crash = new Error('the process crashed');

/** Runs an action until the process crashes at a step; resolves to whether it crashed. */
export async function runUntilCrash(
  at: number | undefined,
  interleave: Step,
  run: (step: Step) => Promise<unknown>,
): Promise<boolean> {
  let steps = 0;
  const step: Step = async (where) => {
    await interleave(where);
    if (at !== undefined && steps >= at) throw crash;
    steps += 1;
  };
  try {
    await run(step);
    return false;
  } catch (error) {
    if (error === crash) return true;
    throw error;
  }
}
