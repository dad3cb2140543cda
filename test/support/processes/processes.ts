import { inject } from 'vitest';
import { track } from '../resources.ts';
import {
  commandOf,
  launch,
  placeWeb,
  readyWeb,
  readyWorker,
  runToEnd,
  type Settings,
  type TestProcess,
} from './launch.ts';

export type { TestProcess } from './launch.ts';

/** The build of this test run; a service may use the build of the checkout. */
const buildFolder = inject('buildFolder');

/** Runs a built entry file, such as `src/web.js`, as the Procfile does. Only PATH is inherited from the environment. */
export function startProcess(entry: string, settings: Settings, args: string[] = []): TestProcess {
  return launch(commandOf(buildFolder, entry, args), settings, track(`process ${entry}`));
}

/** Runs a built entry file until it exits, with `input` on standard input. */
export async function runProcess(entry: string, settings: Settings, args: string[] = [], input = '') {
  const closed = track(`process ${entry}`);
  const result = await runToEnd(commandOf(buildFolder, entry, args), settings, input);
  closed();
  return result;
}

/** A web process that answers on a free port of the loopback interface. A busy machine does not make it shed load. */
export async function startWeb(settings: Settings): Promise<TestProcess & { baseUrl: string }> {
  const placed = await placeWeb({ MAX_EVENT_LOOP_DELAY_MS: '0', ...settings });
  return await readyWeb(startProcess('src/web.js', placed), placed);
}

/** A worker process that consumes its queues. */
export async function startWorker(settings: Settings, args: string[] = []): Promise<TestProcess> {
  return await readyWorker(startProcess('workers/main.js', settings, args));
}
