import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Context } from 'koa';
import { z } from 'zod';
import type { Log } from '../../log.ts';
import { createConcurrencyLimit } from '../../resilience/concurrency-limit.ts';
import { problemOf } from '../problems/from-error.ts';
import { presentProblem, Problem } from '../problems/problem.ts';
import { problem } from '../routes/schemas.ts';

/** Most items of a bulk request. */
export const maxItems = 1_000;

/** The result of an item: its success, or the problem that a single request would have got. */
export const settled = <Done extends z.ZodRawShape>(status: number, done: Done) =>
  z.union([
    z.object({ status: z.literal(status), ...done }),
    z.object({
      status: z.int().describe('400 or higher'),
      problem,
    }),
  ]);

/** Tasks that start in one turn of the event loop: validating a long item takes 0.1 ms. */
const tasksPerTurn = 10;

/** Whether the client has closed its connection, or its sending side, which looks the same on the server. */
const isDisconnected = ({ req, res }: Context) => res.closed || req.socket.readableEnded;

/** Runs a task for each item, at most `concurrency` at a time, and yields to other requests in between. A failed task does not affect
 *  others; none starts once the client has gone. Resolves to the result or problem of each, in order. */
export async function settleEach<Item, Done extends object>(
  items: readonly Item[],
  { concurrency, log, ctx, baseUrl }: { concurrency: number; log: Log; ctx: Context; baseUrl: string },
  task: (item: Item, index: number) => Promise<Done>,
) {
  const limited = createConcurrencyLimit({ concurrency, queueSize: items.length });

  async function settle(item: Item, index: number) {
    try {
      return await limited(async () => {
        if (isDisconnected(ctx)) throw new Problem('bad-request', 'The client closed the connection.');
        return await task(item, index);
      });
    } catch (error) {
      const problem = problemOf(error, log, { method: ctx.method, path: ctx.path }, baseUrl);
      return { status: problem.status, problem: presentProblem(problem, baseUrl) };
    }
  }

  const settling: ReturnType<typeof settle>[] = [];
  for (const [index, item] of items.entries()) {
    if (index > 0 && index % tasksPerTurn === 0) await nextTurn();
    settling.push(settle(item, index));
  }
  return await Promise.all(settling);
}
