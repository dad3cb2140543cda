import { once } from 'node:events';
import { expect, test } from 'vitest';
import { ClosingStack, withDeadline } from '../../src/resilience/shutdown.ts';
import { silentLog } from '../support/resources.ts';

const never = new Promise<never>(() => {});

test('resources are closed one after the other, in reverse order of opening', async () => {
  const closing = new ClosingStack(silentLog);
  const events: string[] = [];
  for (const name of ['postgres', 'redis', 'server']) {
    closing.defer(name, name, async () => {
      events.push(`${name} begins`);
      await new Promise((resolve) => setImmediate(resolve));
      events.push(`${name} ends`);
    });
  }
  expect(await closing.closeAll(1_000)).toBe(true);
  expect(events).toEqual(
    ['server', 'redis', 'postgres'].flatMap((name) => [`${name} begins`, `${name} ends`]),
  );
});

test('defer returns its resource and closes it', async () => {
  const closing = new ClosingStack(silentLog);
  const resource = { closed: 0 };
  expect(closing.defer('resource', resource, (own) => void (own.closed += 1))).toBe(resource);
  expect(resource.closed).toBe(0);
  await closing.closeAll(1_000);
  await closing.closeAll(1_000);
  expect(resource.closed).toBe(1);
});

test.each([
  [
    'throws',
    () => {
      throw new Error('no');
    },
  ],
  ['rejects', async () => Promise.reject(new Error('no'))],
])('a closer that %s does not stop the others, and the shutdown is not clean', async (_, fail) => {
  const closing = new ClosingStack(silentLog);
  const closed: string[] = [];
  closing.defer('first', 'first', (name) => closed.push(name));
  closing.defer('failing', 'failing', fail);
  closing.defer('last', 'last', (name) => closed.push(name));
  expect(await closing.closeAll(1_000)).toBe(false);
  expect(closed).toEqual(['last', 'first']);
});

test('a hanging closer is abandoned at the deadline, and the shutdown is not clean', async () => {
  const closing = new ClosingStack(silentLog);
  closing.defer('hanging', 'hanging', () => never);
  const start = performance.now();
  expect(await closing.closeAll(30)).toBe(false);
  expect(performance.now() - start).toBeGreaterThan(28);
});

test('`started` is true as soon as closing begins', async () => {
  const closing = new ClosingStack(silentLog);
  expect(closing.started).toBe(false);
  const closed = closing.closeAll(1_000);
  expect(closing.started).toBe(true);
  await closed;
});

test('a resource that is opened during closing is closed too', async () => {
  const closing = new ClosingStack(silentLog);
  let closedLate = false;
  closing.defer('first', 'first', () => {
    closing.defer('late', 'late', () => {
      closedLate = true;
    });
  });
  expect(await closing.closeAll(1_000)).toBe(true);
  expect(closedLate).toBe(true);
});

test('a promise that settles before its deadline wins, otherwise the deadline does', async () => {
  expect(await withDeadline(Promise.resolve('done'), 1_000, () => 'late')).toBe('done');
  await expect(withDeadline(Promise.reject(new Error('failed')), 1_000, () => 'late')).rejects.toThrow(
    'failed',
  );
  expect(await withDeadline(never, 5, () => 'late')).toBe('late');
  const refuse = () => {
    throw new Error('too late');
  };
  await expect(withDeadline(never, 5, refuse)).rejects.toThrow('too late');
});

test('a rejection after the deadline is handled', async () => {
  const controller = new AbortController();
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => unhandled.push(reason);
  process.on('unhandledRejection', note);
  try {
    const late = once(new EventTarget() as never, 'never', { signal: controller.signal });
    expect(await withDeadline(late, 5, () => [])).toEqual([]);
    controller.abort();
    await new Promise((resolve) => setImmediate(resolve));
    expect(unhandled).toEqual([]);
  } finally {
    process.off('unhandledRejection', note);
  }
});
