import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createApiKeys } from '../../src/api-keys/api-keys.ts';
import { runProcess, startWeb, startWorker } from '../support/processes/processes.ts';
import { readSlowness } from '../support/processes/slowness.ts';
import { uniquePrefix, useDatabase } from '../support/resources.ts';
import { blocksOf, sectionOf } from './markdown.ts';

const run = promisify(execFile);
const database = useDatabase();
const settings = () => ({
  DATABASE_URL: database.url(),
  REDIS_URL: inject('redisUrl'),
  REDIS_PREFIX: prefix,
  HOST: '127.0.0.1',
});
const prefix = uniquePrefix();
let baseUrl: string;
/** Simulates a checkout in which `npm run local` runs. */
let folder: string;
let stop: () => Promise<unknown>;

beforeAll(async () => {
  const [web, worker] = await Promise.all([startWeb(settings()), startWorker(settings())]);
  stop = async () => await Promise.all([web.stop(), worker.stop()]);
  baseUrl = web.baseUrl;
  const { key } = await createApiKeys(database.db()).create('test');
  folder = await mkdtemp(path.join(tmpdir(), 'linkmill docs '));
  await mkdir(path.join(folder, '.local'));
  await writeFile(path.join(folder, '.local/env'), `BASE_URL=${baseUrl}\nAPI_KEY=${key}\n`);
});
afterAll(async () => {
  await stop();
  await rm(folder, { recursive: true, force: true });
});

/** Runs a block in a shell that stops at the first failure. On a busy machine, a reader waits longer too. */
async function runBlock(text: string): Promise<string> {
  const block = text.replaceAll(/\bsleep (\d+)/g, (_, s) => `sleep ${Math.ceil(Number(s) * readSlowness())}`);
  const script = `set -e -o pipefail; set -a; . .local/env; set +a\n${block}`;
  const { stdout } = await run('bash', ['-c', script], { cwd: folder });
  return stdout.replaceAll('\r', '');
}

test('the quick start of the README prints what the README shows', async () => {
  const section = sectionOf('README.md', '## Quick start');
  const block = blocksOf(section, 'sh').find((one) => one.includes('curl'))!;
  const shown = blocksOf(section, '').find((one) => one.includes('HTTP/1.1'))!;
  const printed = await runBlock(block);
  // After a body without a line break, the next answer begins on the same line.
  for (const line of shown.trim().split('\n')) {
    expect(printed).toContain(line.replace(/, …}$/, ',').replaceAll('http://localhost:3000', baseUrl));
  }
});

test('the first requests of the getting started guide succeed', async () => {
  const blocks = blocksOf(sectionOf('docs/getting-started.md', '## First requests'), 'sh');
  const printed: string[] = [];
  for (const block of blocks) printed.push(await runBlock(block));
  const [, created, redirect, preview, stats, changed] = printed;
  expect(JSON.parse(created!)).toMatchObject({ short_code: 'spring', tags: ['campaign'] });
  expect(redirect).toMatch(/^HTTP\/1\.1 301 [^]*\nLocation: https:\/\/example\.com\/spring\n/);
  expect(preview).toContain('https://example.com/spring');
  expect(stats).toContain('"clicks":1');
  expect(changed).toMatch(/"title":"Spring sale"[^]*HTTP\/1\.1 204/);
  expect((await readFile(path.join(folder, 'spring.png'))).subarray(1, 4).toString()).toBe('PNG');
});

test('the commands for API keys succeed', async () => {
  const [block = ''] = blocksOf(sectionOf('docs/getting-started.md', '## API keys'), 'sh');
  const commands = [...block.matchAll(/^npm run api-key -- (.+)$/gm)].map(([, args = '']) => args.split(' '));
  expect(commands.map(([name]) => name)).toEqual(['create', 'create', 'list', 'rotate', 'revoke']);
  for (const args of commands) {
    const { code } = await runProcess('src/cli/api-key.js', settings(), args);
    expect({ args, code }).toEqual({ args, code: 0 });
  }
});

// After the commands for API keys, which create the key.
test('the commands that sign in print a link', async () => {
  const [block = ''] = blocksOf(sectionOf('docs/getting-started.md', '## Sign in'), 'sh');
  const commands = [...block.matchAll(/^npm run sign-in(?: -- (.+))?$/gm)];
  expect(commands).toHaveLength(2);
  for (const [line, args = ''] of commands) {
    const given = { ...settings(), BASE_URL: baseUrl };
    const { code, stdout } = await runProcess('src/cli/sign-in.js', given, args.split(' ').filter(Boolean));
    expect({ line, code, stdout }).toEqual({
      line,
      code: 0,
      stdout: expect.stringContaining(`${baseUrl}/admin/#t=`),
    });
  }
});

test('the commands that run a job succeed', async () => {
  const blocks = blocksOf(sectionOf('docs/jobs.md', '## Watch and run jobs'), 'sh').join('');
  const commands = [...blocks.matchAll(/^npm run job -- (\S+)(?: '(.+)')?$/gm)];
  expect(commands).toHaveLength(2);
  for (const [line, ...args] of commands) {
    const given = args.filter((arg) => arg !== undefined);
    const { code } = await runProcess('workers/run-job.js', settings(), given);
    expect({ line, code }).toEqual({ line, code: 0 });
  }
});
