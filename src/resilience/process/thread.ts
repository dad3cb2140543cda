import { Worker, type WorkerOptions } from 'node:worker_threads';

/** Loads TypeScript in a thread, which does not inherit the loader of its process on every version of Node.js. */
const typeScriptEntry = (file: URL) => `
  import(${JSON.stringify(import.meta.resolve('tsx/esm/api'))})
    .then(({ register }) => {
      register();
      return import(${JSON.stringify(file.href)});
    });`;

/** Starts the module `name`, next to the module `beside`, in a thread that does not keep the process alive. The thread has no environment
 *  variables, and modules of `--import` and `--require` are not loaded in it. */
export function startThread(name: string, beside: string, options: WorkerOptions): Worker {
  const isBuilt = beside.endsWith('.js');
  const file = new URL(`./${name}${isBuilt ? '.js' : '.ts'}`, beside);
  const thread = isBuilt
    ? new Worker(file, { ...options, execArgv: [], env: {} })
    : // The loader needs more memory than the limits of the thread.
      new Worker(typeScriptEntry(file), {
        ...options,
        execArgv: [],
        env: {},
        eval: true,
        resourceLimits: {},
      });
  thread.unref();
  return thread;
}
