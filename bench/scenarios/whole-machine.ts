import { readFileSync } from 'node:fs';
import { createClickSegments } from '../../src/analytics/rollups/segments.ts';
import { isExact, readAudit } from '../../src/clicks/ledger/audit.ts';
import { waitUntil } from '../../test/support/wait-until.ts';
import type { LoadGenerator, LoadRequest } from '../load/load.ts';
import { readTreeCpuMicros } from '../processors.ts';
import type { Server, Stack } from '../stack.ts';

const connections = 64;
const drainMs = 120_000;

/** A part of the service beside the web process. */
export type Part = 'worker' | 'Redis' | 'PostgreSQL';

export interface WholeMachine {
  /** Redirects that were answered and, where they are, counted and rolled up, per second until the last of them was. */
  perSecond: number;
  /** Processor time of all processes per redirect, in microseconds, with that of the load generator. */
  micros: number;
  /** That of the web process, and of each part that it needs. */
  parts: Record<string, number>;
}

/** Measures what redirects cost all processes of a stack, which share all processors. */
export async function createWholeMachineMeter(stack: Stack, generator: LoadGenerator, seconds: number) {
  const parts: Record<Part, number[]> = {
    worker: stack.workers.map(({ pid }) => pid),
    Redis: [Number(/process_id:(\d+)/.exec(await stack.redis.info('server'))![1])],
    PostgreSQL: [await readPostgresPid()],
  };

  async function readPostgresPid(): Promise<number> {
    const { rows } = await stack.db.raw<{ rows: { pid: number }[] }>('select pg_backend_pid() as pid');
    return Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${rows[0]!.pid}/status`, 'utf8'))![1]);
  }

  /** From the first request until the last click is rolled up. `needs` are the parts that the server needs: what the others do in the
   *  background is not its cost. */
  return async function measure(
    { baseUrl, pid }: Server,
    requests: LoadRequest[],
    needs: Part[],
  ): Promise<WholeMachine> {
    // All processes, also those of the stores and the load generator, are descendants of this one.
    const pids: Record<string, number[]> = { all: [process.pid], web: [pid], ...parts };
    const readMicros = () =>
      Object.values(pids).map((some) => some.map(readTreeCpuMicros).reduce((sum, micros) => sum + micros, 0));
    const begin = { at: performance.now(), micros: readMicros() };
    const { answered, failed, refused } = await generator.run({ baseUrl, requests, connections, seconds });
    if (failed + refused > 0) throw new Error(`${failed} requests had no answer, ${refused} were refused`);
    await waitUntil('all clicks are counted', async () => isExact(await readAudit(stack.db)), drainMs);
    await createClickSegments(stack.db).rollUp({ always: true });
    const elapsedSeconds = (performance.now() - begin.at) / 1_000;
    const [micros, ...rest] = readMicros().map((after, i) => (after - begin.micros[i]!) / answered);
    const names = Object.keys(pids).slice(1);
    const split = Object.fromEntries(names.map((name, i) => [name, rest[i]!]));
    const idle = (Object.keys(parts) as Part[]).filter((part) => !needs.includes(part));
    return {
      perSecond: answered / elapsedSeconds,
      micros: idle.reduce((sum, part) => sum - split[part]!, micros!),
      parts: Object.fromEntries(['web', ...needs].map((part) => [part, split[part]!])),
    };
  };
}
