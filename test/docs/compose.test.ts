import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { webSettings } from '../../src/config/web.ts';
import { workerSettings } from '../../src/config/worker.ts';

const compose = readFileSync('docker-compose.yml', 'utf8');
const example = readFileSync('.env.example', 'utf8');
const settings = new Set([...Object.keys(webSettings.shape), ...Object.keys(workerSettings.shape)]);
const isSetting = (name: string) => settings.has(name.replace(/_FILE$/, ''));

/** Variables that docker-compose.yml interpolates. */
const interpolated = new Set([...compose.matchAll(/\$\{([A-Z_]+)/g)].map((match) => match[1]!));
/** The lines of one service, or of the part that all Linkmill processes share. */
const partOf = (name: string) =>
  new RegExp(`^ *${name}:.*\\n((?: +.*\\n|\\n)+?)(?=\\n|$(?![^]))`, 'm').exec(compose)?.[1] ?? '';

test('docker-compose.yml passes every setting in an optional .env to each process', () => {
  expect(partOf('x-linkmill')).toMatch(/env_file:\n +- path: \.env\n +required: false/);
  for (const name of ['release', 'web', 'worker']) expect(partOf(name)).toContain('<<: *linkmill');
});

test('docker-compose.yml sets only known settings, and no default password', () => {
  const shared = partOf('x-linkmill');
  const names = [...shared.matchAll(/^ {4}([A-Z_]+):/gm)].map((match) => match[1]!);
  expect(names).toEqual(
    expect.arrayContaining(['DATABASE_URL', 'REDIS_URL', 'BASE_URL', 'PORT', 'WORKER_PORT']),
  );
  expect(names.filter((name) => !isSetting(name))).toEqual([]);
  expect(compose).toContain('TRUSTED_PROXY_HOPS: ${TRUSTED_PROXY_HOPS:-1}');
  expect(compose).not.toMatch(/PASSWORD:?-\w/);
  expect(compose).toMatch(/POSTGRES_PASSWORD: \$\{POSTGRES_PASSWORD:\?[^}]+\.env/);
});

test('each service of docker-compose.yml has a memory limit, and each server a health check', () => {
  for (const name of ['x-linkmill', 'postgres', 'redis']) expect(partOf(name)).toContain('mem_limit:');
  for (const name of ['postgres', 'redis', 'web', 'worker']) expect(partOf(name)).toContain('healthcheck:');
  expect(partOf('worker')).toContain(`127.0.0.1:${/WORKER_PORT: (\d+)/.exec(compose)?.[1]}/health/ready`);
  expect(partOf('web')).toContain(`127.0.0.1:${/ PORT: (\d+)/.exec(compose)?.[1]}/health/ready`);
});

test('each variable of .env.example is a setting, or one that docker-compose.yml reads', () => {
  const names = [...example.matchAll(/^([A-Z_]+)=/gm)].map((match) => match[1]!);
  expect(names).toContain('POSTGRES_PASSWORD');
  expect(names.filter((name) => !isSetting(name) && !interpolated.has(name))).toEqual([]);
});
