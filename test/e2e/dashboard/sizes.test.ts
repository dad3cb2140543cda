import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, inject, test } from 'vitest';

const folder = path.join(inject('buildFolder'), 'dashboard');
const kilobyte = 1_024;

interface Manifest {
  files: Record<string, { bytes: number; gzip: number; br: number }>;
}

const read = async (name: string) => await readFile(path.join(folder, name), 'utf8');

test('the first screen has at most 30 KB of scripts and 6 KB of styles, the whole dashboard 60 KB', async () => {
  const { files } = JSON.parse(await read('manifest.json')) as Manifest;
  const html = await read('index.html');
  const gzipOf = (names: string[]) => names.reduce((sum, name) => sum + files[name]!.gzip, 0);
  const first = [...html.matchAll(/(?:src|href)="\.\/(assets\/[^"]+)"/g)].map(([, name]) => name!);
  const all = Object.keys(files).filter((name) => name.startsWith('assets/'));
  const scripts = first.filter((name) => name.endsWith('.js'));
  const styles = first.filter((name) => name.endsWith('.css'));
  expect(scripts.length).toBeGreaterThan(0);
  expect(styles).toHaveLength(1);
  expect(gzipOf(scripts)).toBeLessThan(30 * kilobyte);
  expect(gzipOf(styles)).toBeLessThan(6 * kilobyte);
  expect(gzipOf(all)).toBeLessThan(60 * kilobyte);
});

test('names of files contain a hash of their content', async () => {
  const { files } = JSON.parse(await read('manifest.json')) as Manifest;
  const names = Object.keys(files).filter((name) => name.startsWith('assets/'));
  expect(names.filter((name) => !/-[\w-]{8}\.(js|css)$/.test(name))).toEqual([]);
});
