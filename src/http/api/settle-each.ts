import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Context } from 'koa';
import { z } from 'zod';
import type { Log } from '../../log.ts';
import { createConcurrencyLimit } from '../../resilience/concurrency-limit.ts';
import { problemOf } from '../problems/from-error.ts';
import { presentProblem, Problem } from '../problems/problem.ts';
import { problem } from './schemas.ts';

/** Most that one request may be about. */
export const maxItems = 1_000;

/** What became of one of many: what it is now, or a problem as it would have been the answer to a request of its own. */
export const settled = <Done extends z.ZodRawShape>(status: number, done: Done) =>
  z.union([
    z.object({ status: z.literal(status), ...done }),
    z.object({
      status: z.int().describe('400 or more'),
      problem,
    }),
  ]);

/** Tasks that begin in one turn of the event loop: reading and checking a long item takes a tenth of a millisecond. */
const tasksPerTurn = 10;

/** Whether the client has closed its connection. One that only closed its sending side looks the same: costly work ends for both. */
const isGone = ({ req, res }: Context) => res.closed || req.socket.readableEnded;

/** Runs a task for each item, at most `atOnce` at a time; those that fail harm no others, and none is begun for a client that has gone
 *  away. Other requests have their turn in between. Resolves to what each gives, or to its problem, in their order. */
export async function settleEach<Item, Done extends object>(
  items: readonly Item[],
  { atOnce, log, ctx, basePath }: { atOnce: number; log: Log; ctx: Context; basePath?: string },
  task: (item: Item, place: number) => Promise<Done>,
) {
  const bounded = createConcurrencyLimit({ concurrency: atOnce, queueSize: items.length });

  async function settle(item: Item, place: number) {
    try {
      return await bounded(async () => {
        if (isGone(ctx)) throw new Problem('bad-request', 'The client closed the connection.');
        return await task(item, place);
      });
    } catch (error) {
      const problem = problemOf(error, log, { method: ctx.method, path: ctx.path }, basePath);
      return { status: problem.status, problem: presentProblem(problem) };
    }
  }

  const settling: ReturnType<typeof settle>[] = [];
  for (const [place, item] of items.entries()) {
    if (place > 0 && place % tasksPerTurn === 0) await nextTurn();
    settling.push(settle(item, place));
  }
  return await Promise.all(settling);
}
