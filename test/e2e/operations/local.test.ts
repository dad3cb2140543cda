import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { readEnvFile } from '../../../scripts/local/env-file.ts';
import { findFreePort } from '../../../scripts/services/ports.ts';
import { isRunning, waitUntil } from '../../../scripts/services/processes.ts';
import { findExecutable, run } from '../../../scripts/services/run-command.ts';
import { signIn } from '../../support/http/session.ts';
import { copyCheckout } from '../../support/processes/local-checkout.ts';

/*
 * The tests share one stack and run in order: each one starts, disturbs or restarts it.
 */
const options = { timeout: 120_000 };
const withCurl = { ...options, skip: findExecutable(['curl']) === undefined };
const target = 'https://example.com/';
const createdSchema = z.object({ short_code: z.string(), original_url: z.literal(target) });

let checkout: Awaited<ReturnType<typeof copyCheckout>>;
let port: number;
let shortCode: string;

beforeAll(async () => {
  checkout = await copyCheckout();
  port = await findFreePort();
});

afterAll(async () => checkout.remove(), options.timeout);

const start = async () => checkout.run({ PORT: String(port) });

async function locationOf(code: string) {
  const response = await fetch(`http://localhost:${port}/${code}`, { redirect: 'manual' });
  return { status: response.status, location: response.headers.get('location') };
}

test('the first npm run local starts the service and writes an API key', options, async () => {
  await start();
  const { BASE_URL = '', API_KEY = '' } = readEnvFile(path.join(checkout.folder, '.local/env'));
  const response = await fetch(`${BASE_URL}/api/v1/urls`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': API_KEY },
    body: JSON.stringify({ original_url: target }),
  });
  shortCode = createdSchema.parse(await response.json()).short_code;
  expect(await locationOf(shortCode)).toEqual({ status: 301, location: target });
});

test('the curl command that npm run local prints creates a short URL', withCurl, async () => {
  const [curl = 'echo no curl'] = /^ *curl .*$/m.exec(checkout.lastRun().output()) ?? [];
  const created = await run('/bin/sh', ['-c', curl]);
  expect(JSON.parse(created)).toMatchObject({ original_url: target });
});

test('the sign-in link that npm run local prints signs in once', options, async () => {
  const [, link = '', token = ''] = /(http:\/\/\S+\/admin\/#t=(\S+))/.exec(checkout.lastRun().output()) ?? [];
  expect(link).toBe(`http://localhost:${port}/admin/#t=${token}`);
  const page = await signIn(`http://localhost:${port}`, { sign_in_token: token });
  expect((await page.get('/api/v1/sessions/current')).body).toMatchObject({
    api_key: { name: 'local', scopes: ['admin'] },
  });
  await expect(signIn(`http://localhost:${port}`, { sign_in_token: token })).rejects.toThrow('unauthorized');
});

test('a second npm run local reports the first one and leaves it running', options, async () => {
  const before = await checkout.processes();
  const second = await start();
  expect(await second.ended).toBe(1);
  expect(second.output()).toMatch(/already running here as process \d+, at http:\/\/localhost:\d+/);
  expect(await checkout.processes()).toEqual(before);
  expect(await locationOf(shortCode)).toMatchObject({ status: 301 });
});

test('npm run local on a port in use names the port and starts nothing', options, async () => {
  const folder = path.join(checkout.folder, 'other');
  const other = await checkout.run({ PORT: String(port), LINKMILL_LOCAL_DIR: folder });
  expect(await other.ended).toBe(1);
  expect(other.output()).toMatch(new RegExp(`port ${port} is in use .* PORT=${port + 1} npm run local`));
  expect(await readdir(folder)).toEqual(['run']);
});

test(
  'a start after a kill of the supervisor ends its processes and keeps data and API key',
  options,
  async () => {
    const orphans = await checkout.processes();
    expect(orphans).toHaveLength(5);
    const before = readEnvFile(path.join(checkout.folder, '.local/env'));
    const [supervisor] = orphans;
    if (supervisor) process.kill(supervisor.pid, 'SIGKILL');
    const next = await start();
    expect(next.output()).toContain('that an earlier run left behind');
    expect(orphans.filter(isRunning)).toEqual([]);
    expect(await locationOf(shortCode)).toEqual({ status: 301, location: target });
    expect(readEnvFile(path.join(checkout.folder, '.local/env'))).toEqual(before);
  },
);

test(
  'npm run local stops the stack and prints the last log lines of a web process that dies',
  options,
  async () => {
    const all = await checkout.processes();
    expect(all).toHaveLength(5);
    const web = all[1];
    const local = checkout.lastRun();
    if (web) process.kill(web.pid, 'SIGKILL');
    expect(await local.ended).toBe(1);
    expect(local.output()).toContain('web ended by itself (SIGKILL); the end of .local/log/web.log:');
    expect(all.filter(isRunning)).toEqual([]);
  },
);

test('Ctrl-C stops the stack in reverse start order and leaves no process behind', options, async () => {
  const local = await start();
  const all = await checkout.processes();
  expect(all).toHaveLength(5);
  local.signal('SIGINT');
  await local.ended;
  // npm may end shortly before its child processes.
  expect(await waitUntil(() => !all.some(isRunning), 30_000)).toBe(true);
  const stopped = [...local.output().matchAll(/^stopping (\w+)$/gm)].map(([, name]) => name);
  expect(stopped).toEqual(['worker', 'web', 'Redis', 'PostgreSQL']);
});
