import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, realpath, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { commandOf, placeWeb } from '../../support/processes/launch.ts';
import { startProcess, startWeb, startWorker, type TestProcess } from '../../support/processes/processes.ts';
import { storeSettings, track, useDatabase, useRedis } from '../../support/resources.ts';
import { waitUntil } from '../../support/wait-until.ts';

const database = useDatabase();
const redis = useRedis();
const settings = () => storeSettings(database, redis);
const waitUntilLogged = async ({ output }: Pick<TestProcess, 'output'>, text: string) =>
  await waitUntil(`"${text}"`, () => output().includes(text), 30_000);

test('a single web process logs that it ignores SIGHUP and SIGUSR2, and stays ready', async () => {
  const web = await startWeb(settings());
  web.signal('SIGHUP');
  await waitUntilLogged(web, 'ignoring SIGHUP: a single web process cannot replace itself');
  web.signal('SIGUSR2');
  await waitUntilLogged(web, 'ignoring SIGUSR2');
  expect((await fetch(`${web.baseUrl}/health/ready`)).status).toBe(200);
  expect(await web.stop()).toBe(0);
});

test('a worker logs that it ignores SIGHUP, and SIGQUIT ends it with exit code 0', async () => {
  const worker = await startWorker(settings());
  worker.signal('SIGHUP');
  await waitUntilLogged(worker, 'ignoring SIGHUP: restart the worker');
  worker.signal('SIGQUIT');
  expect(await worker.ended).toBe(0);
  expect(worker.output()).toContain('"reason":"SIGQUIT"');
});

test('a signal during startup ends the process with exit code 0 or with the signal', async () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const worker = startProcess('workers/main.js', settings());
    worker.signal(signal);
    expect([0, signal]).toContain(await worker.ended);
  }
  const web = startProcess(
    'src/web.js',
    await placeWeb({ ...settings(), DATABASE_URL: 'postgres://127.0.0.1:1/none' }),
  );
  await waitUntil('the process writes its first output', () => web.output() !== '');
  web.signal('SIGTERM');
  expect(await web.ended).toBe(0);
});

test('a web process whose log pipe is closed continues and exits with code 0', async () => {
  const place = await placeWeb({ ...settings(), ACCESS_LOG: 'all' });
  const closed = track('web without a log');
  const child = spawn(process.execPath, commandOf(inject('buildFolder'), 'src/web.js'), {
    env: { PATH: process.env['PATH'], ...place },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await once(child.stdout, 'data');
  child.stdout.destroy();
  const isReady = async () => (await fetch(`${place.BASE_URL}/health/ready`)).status === 200;
  await waitUntil('the process is ready', isReady, 30_000);
  for (let i = 0; i < 20; i++) expect(await isReady()).toBe(true);
  child.kill('SIGTERM');
  const [code] = (await once(child, 'exit')) as [number | null];
  expect(code).toBe(0);
  closed();
});

describe('npm run', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(await realpath(tmpdir()), 'linkmill-npm-'));
    await cp('package.json', path.join(folder, 'package.json'));
    await cp('scripts', path.join(folder, 'scripts'), { recursive: true });
    await symlink(path.resolve('node_modules'), path.join(folder, 'node_modules'));
    await symlink(inject('buildFolder'), path.join(folder, 'dist'));
  });
  afterAll(async () => await rm(folder, { recursive: true }));

  test.each([
    ['npm alone', (pid: number) => process.kill(pid, 'SIGTERM')],
    ['its process group', (pid: number) => process.kill(-pid, 'SIGTERM')],
  ])('web forwards a SIGTERM to %s, and the web process shuts down cleanly', async (_, kill) => {
    const place = await placeWeb(settings());
    const closed = track('npm run web');
    const npm = spawn('npm', ['run', 'web'], {
      cwd: folder,
      env: { PATH: process.env['PATH'], HOME: folder, ...place },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    npm.stdout.on('data', (data: Buffer) => (output += data.toString()));
    npm.stderr.on('data', (data: Buffer) => (output += data.toString()));
    const ended = once(npm, 'close');
    await waitUntil('the process listens', () => output.includes('web is listening'), 30_000).catch(() => {
      throw new Error(output);
    });
    kill(npm.pid!);
    await ended;
    expect(output).toContain('"clean":true');
    closed();
  });
});
