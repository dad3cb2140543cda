import { EventEmitter } from 'node:events';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { type Answers, exchangeCalls } from '../../../src/web/cluster/rpc.ts';

/** Two processes with a channel between them: what the asking one asks, and what the answering one logs. */
function connect(answers: Answers) {
  const [asking, answering] = [new EventEmitter(), new EventEmitter()];
  const logged: object[] = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => void logged.push(JSON.parse(line)) });
  const endOf = (own: EventEmitter, other: EventEmitter) => ({
    on: own.on.bind(own),
    send: (message: object) => setImmediate(() => other.emit('message', message)),
  });
  exchangeCalls(endOf(answering, asking), answers, log);
  return { ask: exchangeCalls(endOf(asking, answering), {}, log), logged };
}

test('a question is answered with what the other process says, each with its own', async () => {
  const { ask, logged } = connect({ metrics: async () => ['some'], 'be replaced': async () => true });
  expect(await Promise.all([ask('metrics', 1_000), ask('be replaced', 1_000)])).toEqual([['some'], true]);
  expect(logged).toEqual([]);
});

test('a question that fails in the other process has no answer, and that process logs which it was and why', async () => {
  const { ask, logged } = connect({ metrics: async () => await Promise.reject(new Error('out of order')) });
  expect(await ask('metrics', 50)).toBeUndefined();
  expect(logged).toEqual([
    expect.objectContaining({
      level: 40,
      asked: 'metrics',
      err: expect.objectContaining({ message: 'out of order' }),
    }),
  ]);
});

test('a question that the other process has no answer for has none', async () => {
  const { ask, logged } = connect({});
  expect(await ask('metrics of all', 50)).toBeUndefined();
  expect(logged).toEqual([]);
});
