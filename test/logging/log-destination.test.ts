import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

/** A process that logs more than a pipe takes, waits until its timers have fired 20 times, and ends with SIGTERM. */
const script = `
  import { ClosingStack, endOnSignal } from './src/resilience/shutdown.ts';
  import { createLog } from './src/log.ts';
  const log = createLog('test', 'info');
  endOnSignal(new ClosingStack(log), log, 5_000);
  for (let i = 0; i < 2_000; i++) log.info({ i }, 'x'.repeat(150));
  let ticks = 0;
  setInterval(() => {
    ticks += 1;
    if (ticks <= 20) log.info('tick');
    if (ticks === 20) process.kill(process.pid, 'SIGTERM');
  }, 10);`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'linkmill-log-'));
});
afterAll(async () => await rm(folder, { recursive: true }));

/** Runs a shell command in which `run` starts that process and `$folder` is a folder. Returns its exit code. */
async function runIn(shellLine: string): Promise<number> {
  const define =
    'node=$0 script=$1 folder=$2; run() { "$node" --import tsx --input-type=module -e "$script"; echo "exit code $?" >&2; }';
  const args = ['-c', `${define}; ${shellLine}`, process.execPath, script, folder];
  const { stderr } = await promisify(execFile)('sh', args);
  return Number(/exit code (\d+)/.exec(stderr)?.[1]);
}

const readLines = async (file: string) =>
  (await readFile(file, 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { i?: number; msg: string });
const numbers = Array.from({ length: 2_000 }, (_, i) => i);

describe.concurrent('a process whose standard output', () => {
  test.each([
    ['is a full disk', 'run > /dev/full'],
    ['is a pipe whose reader has ended', 'run | true'],
    [
      'is a pipe whose reader reads nothing',
      'mkfifo "$folder/unread"; exec 3<>"$folder/unread"; run > "$folder/unread"',
    ],
    ['is closed', 'run >&-'],
  ])('%s continues, and ends with 0', async (_, shellLine) => {
    expect(await runIn(shellLine)).toBe(0);
  });

  test('is a file or a slowly read pipe receives every line in order', async () => {
    await Promise.all([runIn('run > "$folder/file"'), runIn('run | (sleep 1; cat > "$folder/late")')]);
    for (const name of ['file', 'late']) {
      const lines = await readLines(path.join(folder, name));
      expect(lines.flatMap(({ i }) => i ?? [])).toEqual(numbers);
      expect(lines.at(-1)?.msg).toBe('shut down');
    }
  });
});
