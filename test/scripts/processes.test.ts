import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { endProcess, isRunning, markProcess } from '../../scripts/services/processes.ts';

const sleeper = () => spawn('sleep', ['60']);
const children: ReturnType<typeof sleeper>[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

async function startSleeper() {
  const child = sleeper();
  children.push(child);
  await once(child, 'spawn');
  const mark = markProcess(child.pid ?? 0);
  if (!mark) throw new Error('no process');
  return { child, mark };
}

test('a process with the pid but not the start time of a marked one is left alone', async () => {
  const { mark } = await startSleeper();
  await endProcess({ ...mark, started: 'long ago' }, [['SIGKILL', 1_000]]);
  expect(isRunning(mark)).toBe(true);
});

test('a process that hangs takes notice of the signal that ends it', async () => {
  const { child, mark } = await startSleeper();
  child.kill('SIGSTOP');
  await endProcess(mark, [['SIGTERM', 5_000]]);
  expect(isRunning(mark)).toBe(false);
});

test('ending a process that outlives every signal fails', async () => {
  const { mark } = await startSleeper();
  await expect(endProcess(mark, [['SIGCONT', 50]])).rejects.toThrow(
    `process ${mark.pid} does not end: sleep 60`,
  );
});
