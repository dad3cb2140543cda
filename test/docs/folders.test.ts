import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';

const maxFiles = 15;

/** The folders of code in a checkout, with the numbers of their files. */
function countFiles(root: string): [folder: string, files: number][] {
  const entries = readdirSync(root, { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && !entry.parentPath.includes('/node_modules'),
  );
  const counts = new Map<string, number>();
  for (const { parentPath } of entries) counts.set(parentPath, (counts.get(parentPath) ?? 0) + 1);
  return [...counts];
}

test('a folder of code has at most 15 files', () => {
  const folders = ['src', 'workers', 'scripts', 'bench', 'test'].flatMap(countFiles);
  expect(folders.length).toBeGreaterThan(50);
  expect(folders.filter(([, files]) => files > maxFiles)).toEqual([]);
});
