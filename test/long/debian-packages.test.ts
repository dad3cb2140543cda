import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fetchDebianPackages, hasDebianPackages } from '../../scripts/services/debian-packages.ts';
import { run } from '../../scripts/services/run.ts';

const onDebian = { timeout: 120_000, skip: !hasDebianPackages() };
let cache: string;

beforeEach(async () => {
  cache = await mkdtemp(path.join(tmpdir(), 'linkmill packages '));
});

afterEach(async () => rm(cache, { recursive: true, force: true }));

test(
  'a package fetched twice at the same time is unpacked whole, and nothing else is left',
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

test('a package that does not exist is named, and nothing is left of the attempt', onDebian, async () => {
  const fetching = fetchDebianPackages(['linkmill-has-no-such-package'], cache);
  await expect(fetching).rejects.toThrow('Unable to locate package linkmill-has-no-such-package');
  expect(await readdir(cache, { recursive: true })).toHaveLength(1);
});
