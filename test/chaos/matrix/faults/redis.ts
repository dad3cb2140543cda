import { cp, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { waitUntil } from '../../../support/wait-until.ts';
import type { Fault } from '../fault.ts';
import { pause, type Stack } from '../stack.ts';

const savedIn = 'appendonlydir';

export async function killRedis(stack: Stack): Promise<void> {
  stack.print('Redis: killed');
  await stack.restart('redis');
}

export async function flushRedis(stack: Stack): Promise<void> {
  stack.print('Redis: FLUSHALL');
  await stack.runRedisCommand('flushall');
}

export async function fillRedis(stack: Stack): Promise<void> {
  const ms = stack.random.between(1_000, 3_000);
  stack.print(`Redis: out of memory for ${ms} ms`);
  await stack.runRedisCommand('config', 'set', 'maxmemory', '1mb');
  await pause(stack, ms, ms);
  await stack.runRedisCommand('config', 'set', 'maxmemory', '0');
}

/** Restores an older state of Redis' own data. */
export async function rollRedisBack(stack: Stack): Promise<void> {
  const { dataDir } = stack.redis;
  const saved = path.join(dataDir, savedIn);
  const copy = path.join(dataDir, 'copy');
  const ms = stack.random.between(1_000, 2_500);
  stack.print(`Redis: rolled back by ${ms} ms`);
  await cp(saved, copy, { recursive: true });
  await pause(stack, ms, ms);
  await stack.restart('redis', async () => {
    await rm(saved, { recursive: true });
    await rename(copy, saved);
  });
}

const stopRedis = (seconds: number) => async (stack: Stack) => {
  stack.print(`Redis: stopped for ${seconds} s`);
  stack.redis.hang();
  await pause(stack, seconds * 1_000, seconds * 1_000);
  stack.redis.resume();
};

export const redisKilled: Fault = {
  name: 'redis-killed',
  description: 'Redis gets SIGKILL and restarts with its append-only file',
  times: 4,
  inject: killRedis,
};

export const redisKilledEmpty: Fault = {
  name: 'redis-killed-empty',
  description: 'a Redis without persistence gets SIGKILL and restarts empty',
  times: 4,
  appendonly: false,
  breaksControl: true,
  inject: killRedis,
};

export const redisRolledBack: Fault = {
  name: 'redis-rolled-back',
  description: 'Redis gets SIGKILL and restarts with a copy of its data that is 1 to 2.5 s old',
  times: 4,
  breaksControl: true,
  inject: rollRedisBack,
};

export const redisFlushed: Fault = {
  name: 'redis-flushed',
  description: 'Redis gets FLUSHALL',
  times: 5,
  breaksControl: true,
  inject: flushRedis,
};

export const redisFull: Fault = {
  name: 'redis-full',
  description: 'Redis is out of memory and rejects all writes for 1 to 3 s',
  times: 3,
  breaksControl: true,
  inject: fillRedis,
};

/** Makes Redis reject commands until /health reports the condition, then repairs it and waits for its end. */
const refuse =
  (condition: string, begin: string[], end: string[]) =>
  async (stack: Stack): Promise<void> => {
    stack.print(`Redis: ${begin.join(' ')}`);
    await stack.runRedisCommand(begin[0]!, ...begin.slice(1));
    try {
      await untilHealth(stack, condition, true);
    } finally {
      await stack.runRedisCommand(end[0]!, ...end.slice(1));
    }
    await untilHealth(stack, condition, false);
  };

async function untilHealth(stack: Stack, condition: string, holds: boolean): Promise<void> {
  const client = stack.client(stack.webs[0]);
  await waitUntil(
    `condition ${condition} ${holds ? 'is reported' : 'has ended'}`,
    async () => {
      const { body } = await client.get('/health');
      return (body['conditions'] as { code: string }[]).some(({ code }) => code === condition) === holds;
    },
    60_000,
  );
}

export const redisReadOnly: Fault = {
  name: 'redis-read-only',
  description: 'Redis becomes a read-only replica until /health reports it, then a primary again',
  times: 2,
  inject: refuse('redis_refuses_writes', ['replicaof', '127.0.0.1', '1'], ['replicaof', 'no', 'one']),
};

export const redisRightsRevoked: Fault = {
  name: 'redis-rights-revoked',
  description:
    'the Redis user loses scripts, streams and blocking commands until /health reports it, then regains them',
  times: 2,
  inject: refuse(
    'redis_rights_missing',
    ['acl', 'setuser', 'default', '-@scripting', '-@stream', '-@blocking'],
    ['acl', 'setuser', 'default', '+@all'],
  ),
};

export const redisStopped10: Fault = {
  name: 'redis-stopped-10',
  description: 'Redis gets SIGSTOP, and SIGCONT 10 s later',
  times: 1,
  inject: stopRedis(10),
};

export const redisStopped30: Fault = {
  name: 'redis-stopped-30',
  description: 'Redis gets SIGSTOP, and SIGCONT 30 s later',
  times: 1,
  inject: stopRedis(30),
};
