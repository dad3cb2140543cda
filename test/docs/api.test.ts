import { expect, test } from 'vitest';
import type { Operation } from '../../src/http/api/operation.ts';
import { bullBoardPath } from '../../src/http/server/operator-paths.ts';
import { apiRoutes, publicRoutes } from '../../src/web/app.ts';
import { readOperations } from '../fuzz/api/operations.ts';
import { firstCellsOf, readText } from './markdown.ts';

const document = readText('docs/api.md');
const documented = firstCellsOf(document).filter((cell) => /^[A-Z]+ \//.test(cell));

/** Every route in the notation of the document; files of the page `/docs` are not separate routes. */
function routes(): string[] {
  return [...Object.values(publicRoutes), ...Object.values(apiRoutes)]
    .map(({ method, path }) => `${method.toUpperCase()} ${path}`)
    .filter((route) => !/^GET \/docs\/.*\.(js|css)$/.test(route));
}

test('the API page lists every route of the service, and no other', () => {
  const redirects = ['GET /{short_code}', 'POST /{short_code}', 'GET /{short_code}+'];
  expect(documented.toSorted()).toEqual([...routes(), ...redirects].toSorted());
});

test('the OpenAPI document describes every route of the API page, and no other', () => {
  const described = readOperations(JSON.parse(readText('docs/openapi.json')) as object);
  expect(described.map(({ method, path }) => `${method} ${path}`).toSorted()).toEqual(documented.toSorted());
});

test('the API page gives the scope of each operation', () => {
  const wrong = Object.values<Operation>(apiRoutes).filter(({ method, path, scope }) => {
    const begin = `| \`${method.toUpperCase()} ${path}\` |`;
    const row = document.split('\n').find((line) => line.startsWith(begin));
    return !row?.endsWith(scope === 'any' ? ' | any |' : ` | \`${scope}\` |`);
  });
  expect(wrong.map(({ method, path }) => `${method} ${path}`)).toEqual([]);
});

test('the API page gives the path of Bull Board', () => {
  expect(document).toContain(`\`${bullBoardPath}\``);
});
