import { EventEmitter } from 'node:events';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { createRpc, type RpcHandlers } from '../../../src/web/cluster/rpc.ts';

/** Connects a caller to a process with these handlers; `logged` has the log lines of both. */
function connect(handlers: RpcHandlers) {
  const [caller, callee] = [new EventEmitter(), new EventEmitter()];
  const logged: object[] = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => void logged.push(JSON.parse(line)) });
  const endOf = (own: EventEmitter, other: EventEmitter) => ({
    on: own.on.bind(own),
    send: (message: object) => setImmediate(() => other.emit('message', message)),
  });
  createRpc(endOf(callee, caller), handlers, log);
  return { call: createRpc(endOf(caller, callee), {}, log), logged };
}

test('concurrent calls resolve to their own results', async () => {
  const { call, logged } = connect({ metrics: async () => [], replaced: async () => true });
  expect(await Promise.all([call('metrics', 1_000), call('replaced', 1_000)])).toEqual([[], true]);
  expect(logged).toEqual([]);
});

test('a call whose handler rejects resolves to undefined, and the error is logged', async () => {
  const { call, logged } = connect({ metrics: async () => await Promise.reject(new Error('broken')) });
  expect(await call('metrics', 50)).toBeUndefined();
  expect(logged).toEqual([
    expect.objectContaining({
      level: 40,
      method: 'metrics',
      err: expect.objectContaining({ message: 'broken' }),
    }),
  ]);
});

test('a call without a handler resolves to undefined', async () => {
  const { call, logged } = connect({});
  expect(await call('metricsOfAll', 50)).toBeUndefined();
  expect(logged).toEqual([]);
});
