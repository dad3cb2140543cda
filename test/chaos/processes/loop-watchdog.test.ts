import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { commandOf, launch, placeWeb } from '../../support/processes/launch.ts';
import { startWorker } from '../../support/processes/processes.ts';
import { track, uniquePrefix, useDatabase } from '../../support/resources.ts';
import { waitUntil } from '../../support/wait-until.ts';

const database = useDatabase();
const settings = () => ({
  DATABASE_URL: database.url(),
  REDIS_URL: inject('redisUrl'),
  REDIS_PREFIX: uniquePrefix(),
});

/** A module that blocks the event loop of its process once the file exists. */
const holding = (statement: string, file: string) =>
  `data:text/javascript,${encodeURIComponent(`
    import { existsSync } from 'node:fs';
    setInterval(() => { if (existsSync(${JSON.stringify(file)})) { ${statement} } }, 100);`)}`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'linkmill-watchdog-'));
});
afterAll(async () => await rm(folder, { recursive: true }));

/** Blocks the event loop after the process logs its start: its watchdog runs by then. */
async function holdOnceStarted(output: () => string, file: string): Promise<void> {
  await waitUntil(
    'the process has started',
    () => /web is listening|worker is running/.test(output()),
    60_000,
  );
  await writeFile(file, '');
}

describe.concurrent.each([
  { entry: 'workers/main.js', how: 'a loop', statement: 'for (;;) {}' },
  {
    entry: 'workers/main.js',
    how: 'a chain of microtasks',
    statement: 'const next = () => Promise.resolve().then(next); next()',
  },
  { entry: 'src/web.js', how: 'a loop', statement: 'for (;;) {}' },
])('$entry whose event loop is blocked by $how', ({ entry, statement }) => {
  test('writes a fatal line to standard error and kills itself', async () => {
    const file = path.join(folder, uniquePrefix());
    const command = ['--import', holding(statement, file), ...commandOf(inject('buildFolder'), entry)];
    const placed = await placeWeb(settings());
    const process = launch(command, placed, track(`held ${entry}`));
    await holdOnceStarted(process.output, file);
    expect(await process.ended).toBe('SIGKILL');
    const last = process.output().trim().split('\n').at(-1)!;
    expect(JSON.parse(last)).toMatchObject({ level: 60, pid: process.pid, seconds: 30 });
  });
});

/** Options of `unshare` that make its command process 1, as in a container. */
const asFirst = ['--pid', '--fork', '--kill-child'];
const mayUnshare = spawnSync('unshare', [...asFirst, 'true']).status === 0;

test.runIf(mayUnshare).concurrent('a blocked worker that is process 1 of a container ends', async () => {
  const { PATH } = process.env;
  const script = 'workers/main.js';
  const file = path.join(folder, uniquePrefix());
  const command = ['--import', holding('for (;;) {}', file), ...commandOf(inject('buildFolder'), script)];
  const closed = track(`held ${script}`);
  const child = spawn('unshare', [...asFirst, process.execPath, ...command], {
    env: { PATH, ...settings() },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data: Buffer) => (output += data.toString()));
  await holdOnceStarted(() => output, file);
  // `unshare` ends with the signal that ended its child.
  expect(await once(child, 'close')).toEqual([null, 'SIGTRAP']);
  expect(JSON.parse(output.trim().split('\n').at(-1)!)).toMatchObject({ level: 60, pid: 1 });
  closed();
});

test.concurrent('a worker that was stopped for 45 s continues and ends on SIGTERM', async () => {
  const worker = await startWorker(settings());
  worker.signal('SIGSTOP');
  await delay(45_000);
  worker.signal('SIGCONT');
  await delay(3_000);
  expect(await worker.stop()).toBe(0);
  expect(worker.output()).not.toContain('event loop is stuck');
});
