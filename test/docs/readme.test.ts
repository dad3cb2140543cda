import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { settingsTable } from '../../scripts/docs/settings-table.ts';
import { operations } from '../../src/http/api/api.ts';
import type { Operation } from '../../src/http/api/operation.ts';
import { boardPath } from '../../src/http/server/operator-paths.ts';
import { jobNames } from '../../src/queues/jobs.ts';
import { type AppDeps, createRouters } from '../../src/web/app.ts';
import { readOperations } from '../fuzz/api/operations.ts';

const readme = readFileSync('README.md', 'utf8');
const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };

/** The first cell of each row of the table under a heading, without its backticks. */
function firstCells(heading: string): string[] {
  const section = readme.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  return [...section.matchAll(/^\| `([^`]+)`/gm)].map((match) => match[1] ?? '');
}

/** Every route of the routers, as the README writes it; what a page loads belongs to the page. */
function routes(): string[] {
  const config = { BASE_URL: 'http://localhost' };
  // Routes only name their handlers here: nothing that they need is touched before a request comes.
  const routers = createRouters({ config, api: {}, health: {} } as unknown as AppDeps);
  return routers
    .flatMap((router) =>
      router.stack.flatMap((layer) =>
        layer.methods
          .filter((method) => method !== 'HEAD')
          .map((method) => `${method} ${String(layer.path).replace(/:(\w+)/g, '{$1}')}`),
      ),
    )
    .filter((route) => !route.startsWith('GET /docs/'));
}

test("the README's table of settings is the one that the code makes", () => {
  expect(readme).toContain(settingsTable());
});

test("the README's API table names every route of the service, and no other", () => {
  const redirects = ['GET /{short_code}', 'POST /{short_code}', 'GET /{short_code}+'];
  expect(firstCells('API').toSorted()).toEqual([...routes(), ...redirects].toSorted());
});

test("the API's document describes every route of the README's API table, and no other", () => {
  const described = readOperations(JSON.parse(readFileSync('docs/openapi.json', 'utf8')) as object);
  expect(described.map(({ method, path }) => `${method} ${path}`).toSorted()).toEqual(
    firstCells('API').toSorted(),
  );
});

test("the README's API table says which scope each operation needs", () => {
  const wrong = Object.values<Operation>(operations).filter(({ method, path, scope }) => {
    const begin = `| \`${method.toUpperCase()} ${path}\` |`;
    const row = readme.split('\n').find((line) => line.startsWith(begin));
    return !row?.endsWith(scope === 'any' ? ' | any |' : ` | \`${scope}\` |`);
  });
  expect(wrong.map(({ method, path }) => `${method} ${path}`)).toEqual([]);
});

test("the README's table of jobs names every job, and no other", () => {
  expect(firstCells('Jobs')).toEqual(jobNames);
});

test("the README's picture of the service names every job", () => {
  const [picture = ''] = /visitors ──►[^`]*/.exec(readme) ?? [];
  expect(jobNames.filter((name) => !picture.includes(`  ${name} `))).toEqual([]);
});

test('every npm script and file that the README names exists', () => {
  const scripts = [...readme.matchAll(/npm run ([\w:-]+)/g)].map((match) => match[1] ?? '');
  expect(scripts.filter((name) => !(name in manifest.scripts))).toEqual([]);
  const files = [...readme.matchAll(/(?:src|workers|scripts|migrations|test)\/[\w/.-]*\w\.ts/g)].map(
    (match) => match[0],
  );
  expect(files.length).toBeGreaterThan(10);
  expect(files.filter((file) => !existsSync(file))).toEqual([]);
});

test('the README names the path of Bull Board', () => {
  expect(readme).toContain(`\`${boardPath}\``);
});

test('Procfile, Dockerfile and docker-compose.yml start entry files that the build makes', () => {
  const started = ['Procfile', 'Dockerfile', 'docker-compose.yml'].flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/dist\/([\w/-]+)\.js/g)].map((match) => `${match[1]}.ts`),
  );
  expect(new Set(started)).toEqual(new Set(['src/web.ts', 'workers/main.ts']));
  expect(started.filter((file) => !existsSync(file))).toEqual([]);
});
