import { mkdir, mkdtemp, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeLibraryLinks } from '../../scripts/services/postgres-links.ts';

let folder: string;
const library = () => path.join(folder, 'native/lib/libpq.so.5.18');

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'linkmill links '));
  await mkdir(path.dirname(library()), { recursive: true });
  await writeFile(library(), 'library');
});

afterEach(async () => rm(folder, { recursive: true, force: true }));

test('missing library links are created as relative links, and a second run changes nothing', async () => {
  const links = ['native/lib/libpq.so.5', 'native/lib/libpq.so'];
  const list = links.map((target) => ({ source: 'native/lib/libpq.so.5.18', target }));
  await writeFile(path.join(folder, 'native/pg-symlinks.json'), JSON.stringify(list));
  await makeLibraryLinks(folder);
  await makeLibraryLinks(folder);
  for (const link of links) {
    expect(await readlink(path.join(folder, link))).toBe('libpq.so.5.18');
    expect(await readFile(path.join(folder, link), 'utf8')).toBe('library');
  }
});

test('a package without a list of links gets none', async () => {
  await expect(makeLibraryLinks(folder)).resolves.toBeUndefined();
});
