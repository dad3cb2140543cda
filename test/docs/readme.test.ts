import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { documents, readText } from './markdown.ts';

const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as {
  scripts: Record<string, string>;
  engines: { node: string };
  license: string;
};
/** A changelog also names what no longer exists. */
const current = documents.filter((file) => file !== 'CHANGELOG.md');

test('the README has at most 150 lines', () => {
  expect(readText('README.md').split('\n').length).toBeLessThanOrEqual(151);
});

test('the badges of the README have the licence and the oldest version of Node', () => {
  const readme = readText('README.md');
  expect(readme).toContain(`badge/licence-${manifest.license}-`);
  expect(readme).toContain(
    `badge/node-${encodeURIComponent(`≥ ${manifest.engines.node.replace('>=', '')}`)}-`,
  );
});

test('every npm script that a document names exists', () => {
  const missing = current.flatMap((file) =>
    [...readText(file).matchAll(/npm run ([a-z][\w:-]*)/g)]
      .filter(([, name = '']) => !(name in manifest.scripts))
      .map(([command]) => `${file}: ${command}`),
  );
  expect(missing).toEqual([]);
});

test('every source file that a document names exists', () => {
  const named = current.flatMap((file) =>
    [
      ...readText(file).matchAll(
        /(?<![\w/.-])(?:src|workers|scripts|migrations|test|bench|deploy)\/[\w/.-]*\w\.(?:ts|yml|cjs|md)\b/g,
      ),
    ].map(([name]) => ({ file, name })),
  );
  expect(named.length).toBeGreaterThan(50);
  expect(named.filter(({ name }) => !existsSync(name))).toEqual([]);
});

test('Procfile, Dockerfile and docker-compose.yml start entry files that the build creates', () => {
  const started = ['Procfile', 'Dockerfile', 'docker-compose.yml'].flatMap((file) =>
    [...readText(file).matchAll(/dist\/([\w/-]+)\.js/g)].map((match) => `${match[1]}.ts`),
  );
  expect(new Set(started)).toEqual(new Set(['src/web.ts', 'workers/main.ts']));
  expect(started.filter((file) => !existsSync(file))).toEqual([]);
});
