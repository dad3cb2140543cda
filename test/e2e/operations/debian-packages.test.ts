import { mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  debianLibraryPath,
  debianPackagesFolder,
  fetchDebianPackages,
  hasDebianPackages,
} from '../../../scripts/services/debian-packages.ts';
import { dpkgStatusFile } from '../../../scripts/services/private-apt.ts';
import { run } from '../../../scripts/services/run-command.ts';

const onDebian = { timeout: 120_000, skip: !hasDebianPackages() };
let cache: string;

beforeEach(async () => {
  cache = await mkdtemp(path.join(tmpdir(), 'linkmill packages '));
});

afterEach(async () => rm(cache, { recursive: true, force: true }));

test(
  'two concurrent fetches of a package unpack it completely and leave no other files',
  onDebian,
  async () => {
    const [folder, same] = await Promise.all([
      fetchDebianPackages(['hello'], cache),
      fetchDebianPackages(['hello'], path.relative(process.cwd(), cache)),
    ]);
    expect(same).toBe(folder);
    expect(await run(path.join(folder, 'usr/bin/hello'), ['-g', 'unpacked'])).toBe('unpacked\n');
    expect(await readdir(path.dirname(folder))).toEqual(['hello']);
  },
);

test('a fetch of an unknown package names it and leaves no files behind', onDebian, async () => {
  const fetching = fetchDebianPackages(['linkmill-has-no-such-package'], cache);
  await expect(fetching).rejects.toThrow('Unable to locate package linkmill-has-no-such-package');
  expect(await readdir(cache, { recursive: true })).toHaveLength(1);
});

/** The status entry of a package in dpkg's format. */
const stanza = (name: string, state: string, version: string) =>
  [`Package: ${name}`, `Status: ${state}`, 'Architecture: amd64', `Version: ${version}`].join('\n');

/** Runs a copy of Redis with its own libraries; rejects if it does not run. */
const versionOf = async (folder: string) =>
  run(path.join(folder, 'usr/bin/redis-server'), ['--version'], {
    env: { ...process.env, LD_LIBRARY_PATH: debianLibraryPath(folder) },
  });
const isUsable = async (folder: string) => versionOf(folder).then(Boolean, () => false);

test.each([
  ['has only redis-tools', [stanza('redis-tools', 'install ok installed', '5:7.0.15-1~deb12u3')]],
  [
    'has redis-server and its libraries',
    ['redis-server', 'redis-tools', 'liblzf1', 'libssl3', 'libjemalloc2', 'libatomic1'].map((name) =>
      stanza(name, 'install ok installed', '99:99'),
    ),
  ],
  ['had another redis-server', [stanza('redis-server', 'deinstall ok config-files', '4:6.0.0-1')]],
  ['has a package with an unmet dependency', [`${stanza('x', 'install ok installed', '1')}\nDepends: no-y`]],
])('a machine that %s gets a complete Redis', onDebian, async (_, stanzas) => {
  const statusFile = path.join(cache, 'status');
  await writeFile(statusFile, [await readFile(dpkgStatusFile, 'utf8'), ...stanzas, ''].join('\n\n'));
  const folder = await fetchDebianPackages(['redis-server'], path.join(cache, 'own'), {
    isUsable,
    statusFile,
  });
  expect(await versionOf(folder)).toMatch(/v=\d+\.\d+/);
  const files = await readdir(folder, { recursive: true });
  expect(files.filter((file) => /redis-check-rdb$|libssl\.so|libjemalloc\.so/.test(file))).toHaveLength(3);
  expect(files.filter((file) => /(^|\/)(libc|ld-linux[^/]*|libpthread)\.so/.test(file))).toEqual([]);
});

test('a cached copy that does not run is replaced', onDebian, async () => {
  const folder = debianPackagesFolder(['redis-server'], cache);
  await mkdir(path.join(folder, 'usr/bin'), { recursive: true });
  await symlink('redis-check-rdb', path.join(folder, 'usr/bin/redis-server'));
  const fetching = async () => fetchDebianPackages(['redis-server'], cache, { isUsable });
  expect(await Promise.all([fetching(), fetching()])).toEqual([folder, folder]);
  expect(await versionOf(folder)).toContain('Redis server');
  expect(await readdir(path.dirname(folder))).toEqual(['redis-server']);
});

test('a fetched copy that does not run is removed', onDebian, async () => {
  const fetching = fetchDebianPackages(['hello'], cache, { isUsable: async () => false });
  await expect(fetching).rejects.toThrow('hello from Debian: does not run here');
  expect(await readdir(cache, { recursive: true })).toHaveLength(1);
});
