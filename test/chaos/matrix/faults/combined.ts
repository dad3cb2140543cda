import type { Fault } from '../fault.ts';
import { pause, type Stack } from '../stack.ts';
import { cutConnections, dropReply } from './network.ts';
import { killPostgres } from './postgres.ts';
import { killMember } from './processes.ts';
import { fillRedis, flushRedis, killRedis, rollRedisBack } from './redis.ts';

/** Killing a web process while Redis has lost clicks that only this process still has is a double fault. Therefore
 *  all answered clicks are counted before and after the kill. */
async function killWebAlone(stack: Stack): Promise<void> {
  await stack.settle();
  await killMember(stack, stack.random.pick(stack.webs));
  await stack.settle();
}

const shortFaults: ((stack: Stack, turn: number) => Promise<void>)[] = [
  killWebAlone,
  async (stack) => await killMember(stack, stack.random.pick(stack.workers)),
  killRedis,
  flushRedis,
  fillRedis,
  rollRedisBack,
  killPostgres,
  cutConnections,
  async (stack) => await dropReply(stack, stack.random.between(0, 2)),
];

export const mixed: Fault = {
  name: 'mixed',
  description: 'ten random short faults from the list above, one after the other on the same stack',
  times: 10,
  inject: async (stack, turn) => await stack.random.pick(shortFaults)(stack, turn),
};

export const webKilledRedisEmptied: Fault = {
  name: 'web-killed-redis-emptied',
  description:
    'a web process gets SIGKILL and Redis gets FLUSHALL at the same time: a double fault, which may lose clicks',
  times: 3,
  allowsLoss: true,
  inject: async (stack) => {
    // Long enough for the other web process to write the clicks of the previous injection to PostgreSQL.
    await pause(stack, 6_000, 8_000);
    await Promise.all([killMember(stack, stack.random.pick(stack.webs)), flushRedis(stack)]);
  },
};
