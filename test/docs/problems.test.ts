import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { problemTypesPage } from '../../scripts/docs/problem-types.ts';
import { problemTypes } from '../../src/http/problems/problem-types.ts';

const page = readFileSync('docs/problems.md', 'utf8');

test('docs/problems.md equals the output of npm run docs', () => {
  expect(page).toBe(problemTypesPage());
});

test('each problem type has a section', () => {
  const headings = [...page.matchAll(/^## (\S+)$/gm)].map(([, heading]) => heading!);
  expect(Object.keys(problemTypes)).toEqual(headings);
});
