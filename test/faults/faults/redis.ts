import { cp, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Fault } from '../fault.ts';
import { pause, type Stack } from '../stack.ts';

const savedIn = 'appendonlydir';

export async function killRedis(stack: Stack): Promise<void> {
  stack.say('Redis: killed');
  await stack.restart('redis');
}

export async function flushRedis(stack: Stack): Promise<void> {
  stack.say('Redis: FLUSHALL');
  await stack.tellRedis('flushall');
}

export async function fillRedis(stack: Stack): Promise<void> {
  const ms = stack.random.between(1_000, 3_000);
  stack.say(`Redis: out of memory for ${ms} ms`);
  await stack.tellRedis('config', 'set', 'maxmemory', '1mb');
  await pause(stack, ms, ms);
  await stack.tellRedis('config', 'set', 'maxmemory', '0');
}

/** Gives Redis back an older state of its own. */
export async function rollRedisBack(stack: Stack): Promise<void> {
  const { dataDir } = stack.redis;
  const saved = path.join(dataDir, savedIn);
  const copy = path.join(dataDir, 'copy');
  const ms = stack.random.between(1_000, 2_500);
  stack.say(`Redis: rolled back by ${ms} ms`);
  await cp(saved, copy, { recursive: true });
  await pause(stack, ms, ms);
  await stack.restart('redis', async () => {
    await rm(saved, { recursive: true });
    await rename(copy, saved);
  });
}

const stopRedis = (seconds: number) => async (stack: Stack) => {
  stack.say(`Redis: stopped for ${seconds} s`);
  stack.redis.hang();
  await pause(stack, seconds * 1_000, seconds * 1_000);
  stack.redis.goOn();
};

export const redisKilled: Fault = {
  name: 'redis-killed',
  does: 'Redis gets a SIGKILL and is started again with its append-only file',
  times: 4,
  inject: killRedis,
};

export const redisKilledEmpty: Fault = {
  name: 'redis-killed-empty',
  does: 'a Redis without persistence gets a SIGKILL and is started again, empty',
  times: 4,
  appendonly: false,
  breaksControl: true,
  inject: killRedis,
};

export const redisRolledBack: Fault = {
  name: 'redis-rolled-back',
  does: 'Redis gets a SIGKILL and is started again with a copy of its data that is 1 to 2.5 s old',
  times: 4,
  breaksControl: true,
  inject: rollRedisBack,
};

export const redisFlushed: Fault = {
  name: 'redis-flushed',
  does: 'Redis is emptied by FLUSHALL',
  times: 5,
  breaksControl: true,
  inject: flushRedis,
};

export const redisFull: Fault = {
  name: 'redis-full',
  does: 'Redis refuses every write for 1 to 3 s, for want of memory',
  times: 3,
  breaksControl: true,
  inject: fillRedis,
};

export const redisStopped10: Fault = {
  name: 'redis-stopped-10',
  does: 'Redis gets a SIGSTOP, and a SIGCONT 10 s later',
  times: 1,
  inject: stopRedis(10),
};

export const redisStopped30: Fault = {
  name: 'redis-stopped-30',
  does: 'Redis gets a SIGSTOP, and a SIGCONT 30 s later',
  times: 1,
  inject: stopRedis(30),
};
