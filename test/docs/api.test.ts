import { expect, test } from 'vitest';
import { operations } from '../../src/http/api/api.ts';
import type { Operation } from '../../src/http/api/operation.ts';
import { publicRoutes } from '../../src/http/public-routes.ts';
import { visitRoutes } from '../../src/http/redirect/visit-routes.ts';
import { bullBoardPath } from '../../src/http/server/operator-paths.ts';
import { readOperations } from '../fuzz/api/operations.ts';
import { firstCellsOf, readText } from './markdown.ts';

const document = readText('docs/api.md');
const documented = firstCellsOf(document).filter((cell) => /^[A-Z]+ \//.test(cell));

test('the API page lists every route of the service, and no other', () => {
  const routes = [visitRoutes, publicRoutes, operations].flatMap((some) => Object.values(some));
  const declared = routes.map(({ method, path }) => `${method.toUpperCase()} ${path}`);
  expect(documented.toSorted()).toEqual(declared.toSorted());
});

test('the OpenAPI document describes every route of the API page, and no other', () => {
  const described = readOperations(JSON.parse(readText('docs/openapi.json')) as object);
  expect(described.map(({ method, path }) => `${method} ${path}`).toSorted()).toEqual(documented.toSorted());
});

test('the API page gives the scope of each operation', () => {
  const wrong = Object.values<Operation>(operations).filter(({ method, path, scope }) => {
    const begin = `| \`${method.toUpperCase()} ${path}\` |`;
    const row = document.split('\n').find((line) => line.startsWith(begin));
    return !row?.endsWith(scope === 'any' || scope === 'none' ? ` | ${scope} |` : ` | \`${scope}\` |`);
  });
  expect(wrong.map(({ method, path }) => `${method} ${path}`)).toEqual([]);
});

test('the API page gives the path of Bull Board', () => {
  expect(document).toContain(`\`${bullBoardPath}\``);
});
