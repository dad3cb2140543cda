import type { Fault } from '../fault.ts';
import { pause, type Stack } from '../stack.ts';
import { cutConnections, dropReply } from './network.ts';
import { killPostgres } from './postgres.ts';
import { killMember } from './processes.ts';
import { fillRedis, flushRedis, killRedis, rollRedisBack } from './redis.ts';

/** A web process that is killed while Redis has lost what only that process still has is a double fault. Therefore what was
 *  answered is counted before this, and after it. */
async function killWebAlone(stack: Stack): Promise<void> {
  await stack.settle();
  await killMember(stack, stack.random.pick(stack.webs));
  await stack.settle();
}

const short: ((stack: Stack, turn: number) => Promise<void>)[] = [
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
  does: 'a random one of the short faults above, one after the other on the same stack',
  times: 10,
  inject: async (stack, turn) => await stack.random.pick(short)(stack, turn),
};

export const webKilledRedisEmptied: Fault = {
  name: 'web-killed-redis-emptied',
  does: 'a web process gets a SIGKILL and Redis a FLUSHALL at the same moment: a double fault, which may lose clicks',
  times: 3,
  notPromised: true,
  inject: async (stack) => {
    // Long enough for the other web process to take to PostgreSQL what the last time left.
    await pause(stack, 6_000, 8_000);
    await Promise.all([killMember(stack, stack.random.pick(stack.webs)), flushRedis(stack)]);
  },
};
