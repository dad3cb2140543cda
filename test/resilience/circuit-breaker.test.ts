import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import { afterEach, expect, test, vi } from 'vitest';
import { createBreaker, StoreUnavailable, CircuitOpen } from '../../src/resilience/circuit-breaker.ts';
import { isPostgresUnavailable } from '../../src/storage/postgres/postgres.ts';
import { isRedisUnavailable } from '../../src/storage/redis/errors.ts';
import { silentLog } from '../support/resources.ts';
import { waitUntil } from '../support/wait-until.ts';

afterEach(() => {
  vi.useRealTimers();
});

const unavailable = new Error('unavailable');
/** Longer than the time within which failures count as one. */
const nextMomentMs = 60;

/** A breaker in front of a store whose answers the test sets. */
function openBreaker({ openMs = 60_000, deadlineMs }: { openMs?: number; deadlineMs?: number } = {}) {
  let answer: () => Promise<string> = async () => 'answer';
  let calls = 0;
  const breaker = createBreaker({
    store: 'PostgreSQL',
    isUnavailable: (error) => error === unavailable || isPostgresUnavailable(error),
    failures: 3,
    openMs,
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
    log: silentLog,
  });
  const { call } = breaker.guard({
    call: async () => {
      calls += 1;
      return await answer();
    },
  });
  const callUntilFailed = async () => await call().then(() => expect.unreachable(), String);
  return {
    breaker,
    call,
    calls: () => calls,
    answerWith: (next: () => Promise<string>) => (answer = next),
    /** Makes calls fail this many times, far enough apart to count separately. */
    fail: async (times: number) => {
      answer = () => Promise.reject(unavailable);
      for (let i = 0; i < times; i++) {
        await callUntilFailed();
        await delay(nextMomentMs);
      }
    },
  };
}

test('after three failures in a row the circuit opens, and calls fail at once with the cause', async () => {
  const { breaker, call, calls, fail } = openBreaker();
  await fail(2);
  expect(breaker.state).toBe('closed');
  await fail(1);
  expect(breaker.state).toBe('open');
  expect(calls()).toBe(3);
  const error: unknown = await call().catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(CircuitOpen);
  expect(error).toMatchObject({ store: 'PostgreSQL', cause: unavailable });
  expect(isPostgresUnavailable(error)).toBe(true);
  expect(isRedisUnavailable(error)).toBe(false);
  expect(calls()).toBe(3);
});

test.each<[string, () => Promise<string>]>([
  ['an answer', async () => 'answer'],
  ['a refusal', () => Promise.reject(new Error('violates a constraint'))],
])('%s between failures resets the count', async (_what, answer) => {
  const { breaker, call, answerWith, fail } = openBreaker();
  await fail(2);
  answerWith(answer);
  await Promise.allSettled([call()]);
  await fail(2);
  expect(breaker.state).toBe('closed');
});

test('simultaneous failures count as one', async () => {
  const { breaker, call, answerWith } = openBreaker();
  answerWith(() => Promise.reject(unavailable));
  await Promise.allSettled(Array.from({ length: 100 }, call));
  expect(breaker.state).toBe('closed');
});

test('a rejected command reaches the caller and does not open the circuit', async () => {
  const { breaker, call, answerWith } = openBreaker();
  answerWith(() => Promise.reject(new Error('violates a constraint')));
  for (let i = 0; i < 4; i++) {
    await expect(call()).rejects.toThrow('violates a constraint');
    await delay(nextMomentMs);
  }
  expect(breaker.state).toBe('closed');
});

test('a half-open circuit lets one call through, and the others fail at once', async () => {
  // Longer than a busy machine lets this process wait in the middle.
  const openMs = 500;
  const { breaker, call, calls, answerWith, fail } = openBreaker({ openMs });
  await fail(3);
  await delay(openMs);
  let settle!: { resolve: (value: string) => void; reject: (reason: Error) => void };
  answerWith(async () => await new Promise((resolve, reject) => (settle = { resolve, reject })));

  const first = call();
  expect(breaker.state).toBe('half-open');
  await expect(Promise.all([call(), call()])).rejects.toThrow(CircuitOpen);
  settle.reject(unavailable);
  await expect(first).rejects.toBe(unavailable);
  expect(breaker.state).toBe('open');
  expect(calls()).toBe(4);
  await expect(call()).rejects.toThrow(CircuitOpen);

  await delay(openMs);
  const second = call();
  settle.resolve('back');
  expect(await second).toBe('back');
  expect(breaker.state).toBe('closed');
  expect(calls()).toBe(5);
});

test('a rejected command closes a half-open circuit', async () => {
  const { breaker, call, answerWith, fail } = openBreaker({ openMs: 30 });
  await fail(3);
  answerWith(() => Promise.reject(new Error('violates a constraint')));
  await expect(call()).rejects.toThrow('violates a constraint');
  expect(breaker.state).toBe('closed');
});

test('a call without an answer fails after its deadline and counts as a failure', async () => {
  const { breaker, call, answerWith } = openBreaker({ deadlineMs: 60 });
  answerWith(async () => await new Promise(() => {}));
  for (let i = 0; i < 3; i++) {
    const start = performance.now();
    await expect(call()).rejects.toThrow(StoreUnavailable);
    expect(performance.now() - start).toBeGreaterThan(58);
  }
  expect(breaker.state).toBe('open');
});

test('a wall clock that is set back does not keep the circuit open', async () => {
  const { call, answerWith, fail } = openBreaker({ openMs: 100 });
  await fail(3);
  answerWith(async () => 'back');
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 3_600_000 });
  expect(await waitUntil('the breaker calls the service again', call, 2_000)).toBe('back');
});

test('a kind of call that the store rejects opens only its own circuit', async () => {
  const rejected = new Error('permission denied');
  let writes = 0;
  const breaker = createBreaker({
    store: 'PostgreSQL',
    isUnavailable: (error) => error === rejected || error === unavailable,
    isOfOneCall: (error) => error === rejected,
    failures: 2,
    openMs: 60_000,
    log: silentLog,
  });
  const calls = breaker.guard({
    write: async () => {
      writes += 1;
      throw rejected;
    },
    read: async () => 'answer',
  });
  for (let i = 0; i < 4; i++) {
    await calls.write().catch(() => undefined);
    expect(await calls.read()).toBe('answer');
    await delay(nextMomentMs);
  }
  expect(breaker.state).toBe('open');
  expect(writes).toBe(2);
  const error: unknown = await calls.write().catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(CircuitOpen);
  expect(error).toMatchObject({ cause: rejected });
});

test('a circuit that alternates writes at most 5 log lines at once', async () => {
  const lines: { msg: string }[] = [];
  const log = pino({}, { write: (line) => void lines.push(JSON.parse(line) as { msg: string }) });
  const isUnavailable = (error: unknown) => error === unavailable;
  const breaker = createBreaker({ store: 'Redis', isUnavailable, failures: 1, openMs: 0, log });
  for (let times = 0; times < 10; times++) {
    await breaker.run(() => Promise.reject(unavailable)).catch(String);
    expect(breaker.state).toBe('open');
    await breaker.run(async () => 'answer');
    expect(breaker.state).toBe('closed');
    await delay(nextMomentMs);
  }
  expect(lines.map(({ msg }) => msg)).toEqual([
    'store is unavailable, circuit opened',
    'store is available again, circuit closed',
    'store is unavailable, circuit opened',
    'store is available again, circuit closed',
    'store is unavailable, circuit opened',
  ]);
});
