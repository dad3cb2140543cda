import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { isPortFree } from '../../scripts/services/ports.ts';
import { endProcess, isRunning, markProcess, waitUntil } from '../../scripts/services/processes.ts';

const sleeper = () => spawn('sleep', ['60']);
const children: ChildProcess[] = [];

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

test('a process with the PID of a marked one but another start time is not ended', async () => {
  const { mark } = await startSleeper();
  await endProcess({ ...mark, started: 'long ago' }, [['SIGKILL', 1_000]]);
  expect(isRunning(mark)).toBe(true);
});

test('a stopped process is continued so that it can handle the signal', async () => {
  const { child, mark } = await startSleeper();
  child.kill('SIGSTOP');
  await endProcess(mark, [['SIGTERM', 5_000]]);
  expect(isRunning(mark)).toBe(false);
});

// The number of the system call `exit`, which ends only the calling thread.
const exitSystemCall = { x64: 60, arm64: 93 }[process.arch as string];
const canEndThreads =
  process.platform === 'linux' && spawnSync('perl', ['-Mthreads', '-e', '1']).status === 0;

test.runIf(canEndThreads && exitSystemCall)(
  'a process counts as running until its last thread ends, since it keeps its ports',
  async () => {
    const script = `socket(my $s, PF_INET, SOCK_STREAM, 0); bind($s, sockaddr_in(0, INADDR_LOOPBACK)); listen($s, 1);
      $| = 1; print ((sockaddr_in(getsockname($s)))[0], "\\n");
      threads->create(sub { sleep 60 }); syscall(${exitSystemCall}, 0)`;
    const child = spawn('perl', ['-Mthreads', '-MSocket', '-e', script]);
    children.push(child);
    const [port] = await once(child.stdout, 'data');
    const pid = child.pid ?? 0;
    expect(await waitUntil(() => readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z '), 5_000)).toBe(
      true,
    );
    expect(await isPortFree(Number(port))).toBe(false);
    expect(markProcess(pid)).toBeDefined();
    child.kill('SIGKILL');
    expect(await waitUntil(() => markProcess(pid) === undefined, 5_000)).toBe(true);
    expect(await isPortFree(Number(port))).toBe(true);
  },
);

test('ending a process that outlives every signal fails', async () => {
  const { mark } = await startSleeper();
  await expect(endProcess(mark, [['SIGCONT', 50]])).rejects.toThrow(
    `process ${mark.pid} does not end: sleep 60`,
  );
});
