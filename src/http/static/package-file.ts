import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { compress } from './compress.ts';
import { createStaticFile, hasMediaType, type StaticFile } from './static-file.ts';

const folderOf = (packageName: string) =>
  path.dirname(createRequire(import.meta.url).resolve(`${packageName}/package.json`));

/** Reads a file of an installed package on the first call, and compresses it once, outside the event loop. */
export function readPackageFile(packageName: string, name: string): () => Promise<StaticFile> {
  const folder = folderOf(packageName);
  return once(async () => {
    const content = await readFile(path.join(folder, name));
    return createStaticFile(path.basename(name), content, await compress(content));
  });
}

/** The files in a folder of an installed package by their path in it, each read on its first call. Nothing outside this table is ever read. */
export function listPackageFiles(
  packageName: string,
  folder: string,
): ReadonlyMap<string, () => Promise<StaticFile>> {
  const names = readdirSync(path.join(folderOf(packageName), folder), { recursive: true, encoding: 'utf8' });
  return new Map(
    names
      .filter(hasMediaType)
      .map((name) => [name.split(path.sep).join('/'), readPackageFile(packageName, path.join(folder, name))]),
  );
}

/** Loads on the first call. A failure is not kept: the next call loads again. */
export function once<Value>(load: () => Promise<Value>): () => Promise<Value> {
  let loaded: Promise<Value> | undefined;
  return async () => {
    loaded ??= load();
    loaded.catch(() => (loaded = undefined));
    return await loaded;
  };
}
