import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const root = 'src/dashboard';
const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.tsx?$/.test(name) && name !== 'vite.config.ts')
  .map((name) => path.join(root, name));

interface Import {
  file: string;
  isType: boolean;
  /** A package, or a path from the root of the checkout. */
  from: string;
}

/** The static and dynamic imports of a file. */
const importsOf = (file: string): Import[] =>
  [
    ...readFileSync(file, 'utf8').matchAll(
      /(?:^(import|export)( type)?[^;]*?from |import\(|^import )'([^']+)'/gm,
    ),
  ].map(([, , type, from = '']) => ({
    file,
    isType: type !== undefined,
    from: from.startsWith('.') ? path.join(path.dirname(file), from) : from,
  }));

const imports = files.flatMap(importsOf);
const isOwn = ({ from }: Import) => from.startsWith(`${root}/`);
const isOfServer = (one: Import) => /^(src|workers|migrations)\//.test(one.from) && !isOwn(one);

test('the dashboard imports only types of the API from the server', () => {
  const ofServer = imports.filter(isOfServer);
  expect(ofServer.length).toBeGreaterThan(0);
  expect(ofServer.filter(({ isType, from }) => !isType || !from.startsWith('src/http/api/'))).toEqual([]);
});

test('the dashboard is built from preact and its signals only', () => {
  const packages = imports
    .filter((one) => !isOwn(one) && !isOfServer(one) && !one.isType)
    .map(({ from }) => from);
  expect([...new Set(packages)].toSorted()).toEqual(['@preact/signals', 'preact', 'preact/hooks']);
});

test('screens import each other only for links, and nothing imports a screen but the router', () => {
  const screenOf = (file: string) => /^src\/dashboard\/screens\/([^/]+)/.exec(file)?.[1];
  const foreign = imports.filter((one) => {
    const [to, from] = [screenOf(one.from), screenOf(one.file)];
    return to !== undefined && to !== from && !['links', 'analytics'].includes(to);
  });
  const outside = foreign
    .map(({ file }) => file)
    .filter((file) => !/routing\/screens\.tsx$|dashboard\/app\.tsx$/.test(file));
  expect(outside).toEqual([]);
});

test('no file sets inline styles or HTML, which the content security policy forbids', () => {
  const sinks =
    /\bstyle=|dangerouslySetInnerHTML|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(/;
  expect(files.filter((file) => sinks.test(readFileSync(file, 'utf8')))).toEqual([]);
});

test('no folder of the dashboard has more than 15 files, and no file more than 220 lines', () => {
  const counts = new Map<string, number>();
  for (const file of files) counts.set(path.dirname(file), (counts.get(path.dirname(file)) ?? 0) + 1);
  expect([...counts].filter(([, count]) => count > 15)).toEqual([]);
  const long = files.filter((file) => readFileSync(file, 'utf8').split('\n').length > 220);
  expect(long).toEqual([]);
});
