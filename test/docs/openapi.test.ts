import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createApiDocument } from '../../src/http/api/document.ts';

test('docs/openapi.json is what the code says', () => {
  const committed: unknown = JSON.parse(readFileSync('docs/openapi.json', 'utf8'));
  expect(JSON.parse(JSON.stringify(createApiDocument()))).toEqual(committed);
});
