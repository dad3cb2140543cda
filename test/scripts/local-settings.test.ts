import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readEnvFile, writeEnvFile } from '../../scripts/local/env-file.ts';
import { checkNode, readSettings } from '../../scripts/local/settings.ts';
import { checkPortFree, findFreePort } from '../../scripts/services/ports.ts';
import { run } from '../../scripts/services/run-command.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'linkmill settings '));
});

afterEach(async () => rm(folder, { recursive: true, force: true }));

const env = {
  BASE_URL: 'http://localhost:3000',
  API_KEY: 'lm_0123',
  DATABASE_URL: `postgres://me:it's"$HOME\`&;\\@db.example:5432/links?sslmode=require`,
  REDIS_URL: 'redis://127.0.0.1:6379',
  BULL_BOARD_USER: 'admin',
  BULL_BOARD_PASSWORD: 'a b',
};

test('a shell that reads the env file has every value, whatever its characters', async () => {
  const file = path.join(folder, 'env');
  writeEnvFile(file, env);
  const print = `set -a; . "$1"; "$2" -p 'JSON.stringify(process.env)'`;
  const output = await run('/bin/sh', ['-c', print, 'sh', file, process.execPath]);
  expect(JSON.parse(output)).toMatchObject(env);
  expect(readEnvFile(file)).toEqual(env);
});

test('the env file, which holds secrets, can be read by its owner only', async () => {
  const file = path.join(folder, 'env');
  writeEnvFile(file, env);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

test.each(['127.0.0.1', '0.0.0.0'])(
  'a port in use at %s is reported with its owner and a remedy',
  async (host) => {
    const port = await findFreePort();
    const server = createServer().listen(port, host);
    await once(server, 'listening');
    try {
      await expect(checkPortFree(port)).rejects.toThrow(
        new RegExp(
          `^port ${port} is in use by process ${process.pid} \\(.*: PORT=${port + 1} npm run local$`,
        ),
      );
    } finally {
      server.close();
    }
    await once(server, 'close');
    await expect(checkPortFree(port)).resolves.toBeUndefined();
  },
);

test.each(['0', '65536', 'http', '80.5'])('PORT=%s is rejected', (PORT) => {
  expect(() => readSettings({ PORT }, folder)).toThrow(`PORT is "${PORT}"`);
});

test('empty settings count as not given', () => {
  const settings = readSettings(
    { PORT: '', DATABASE_URL: '', REDIS_URL: '', LINKMILL_LOCAL_DIR: '' },
    folder,
  );
  expect(settings).toMatchObject({
    port: 3000,
    folder: path.join(folder, '.local'),
    given: { DATABASE_URL: undefined },
  });
});

test('Node.js older than 20.19 is rejected, and newer versions are accepted', () => {
  expect(() => checkNode('20.18.3')).toThrow('20.19');
  expect(() => checkNode('18.20.0')).toThrow('20.19');
  expect(() => checkNode('20.19.0')).not.toThrow();
  expect(() => checkNode('22.1.0')).not.toThrow();
});
