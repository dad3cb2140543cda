import { expect, test } from 'vitest';
import { createConcurrencyLimit } from '../../src/resilience/concurrency-limit.ts';
import { Overloaded } from '../../src/resilience/overloaded.ts';

/** A task that runs until the test ends it. */
function createTask() {
  let end = (_error?: Error) => {};
  const state = { isRunning: false };
  const run = async () => {
    state.isRunning = true;
    const ended = new Promise<void>(
      (resolve, reject) => (end = (error) => (error ? reject(error) : resolve())),
    );
    await ended.finally(() => (state.isRunning = false));
  };
  return { state, run, end: (error?: Error) => end(error) };
}

const createTasks = (count: number) => Array.from({ length: count }, createTask);
const turn = () => new Promise((resolve) => setImmediate(resolve));

test('tasks beyond the limit wait and run in their order', async () => {
  const run = createConcurrencyLimit({ concurrency: 2, queueSize: 2 });
  const tasks = createTasks(4);
  const ended = tasks.map((task) => run(task.run));
  const running = () => tasks.map(({ state }) => state.isRunning);
  await turn();
  expect(running()).toEqual([true, true, false, false]);
  tasks[1]!.end();
  await turn();
  expect(running()).toEqual([true, false, true, false]);
  tasks[0]!.end(new Error('it fails'));
  await expect(ended[0]).rejects.toThrow('it fails');
  await turn();
  expect(running()).toEqual([false, false, true, true]);
  tasks[2]!.end();
  tasks[3]!.end();
  await Promise.all(ended.slice(1));
});

test('a task is rejected at once while the queue is full, and runs when it is not', async () => {
  const run = createConcurrencyLimit({ concurrency: 1, queueSize: 1 });
  const tasks = createTasks(2);
  const ended = tasks.map((task) => run(task.run));
  await expect(run(async () => 'rejected')).rejects.toThrow(Overloaded);
  await turn();
  for (const task of tasks) {
    task.end();
    await turn();
  }
  await Promise.all(ended);
  expect(await run(async () => 'accepted')).toBe('accepted');
});
