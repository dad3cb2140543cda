import { Worker, type WorkerOptions } from 'node:worker_threads';

/** Loads TypeScript into a thread, which does not get the loader of its process on every version of Node. */
const typeScriptEntry = (file: URL) => `
  import(${JSON.stringify(import.meta.resolve('tsx/esm/api'))})
    .then(({ register }) => {
      register();
      return import(${JSON.stringify(file.href)});
    });`;

/** Starts a thread that keeps no process alive, with the module `name` in the folder of the module `beside`, in the same language.
 *  It gets no environment, and what Node was told to load into the process is not loaded into the thread. */
export function startThread(name: string, beside: string, options: WorkerOptions): Worker {
  const isBuilt = beside.endsWith('.js');
  const file = new URL(`./${name}${isBuilt ? '.js' : '.ts'}`, beside);
  const thread = isBuilt
    ? new Worker(file, { ...options, execArgv: [], env: {} })
    : // The loader needs more memory than the thread may be given.
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
