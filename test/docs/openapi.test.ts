import { readFileSync } from 'node:fs';
import addFormats from 'ajv-formats';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { operations } from '../../src/http/api/api.ts';
import { createApiDocument, exampleBaseUrl } from '../../src/http/openapi/document.ts';
import { readOperations } from '../fuzz/api/operations.ts';
import type { Schema } from '../fuzz/api/schema.ts';

const document = JSON.parse(JSON.stringify(createApiDocument(exampleBaseUrl))) as {
  tags: { name: string; description?: string }[];
  paths: Record<string, Record<string, { summary?: string; description?: string }>>;
};
const described = readOperations(document);

test('docs/openapi.json equals the document that the code generates', () => {
  expect(document).toEqual(JSON.parse(readFileSync('docs/openapi.json', 'utf8')));
});

test('every operation has a unique ID, a tag and a summary', () => {
  expect(new Set(described.map(({ id }) => id)).size).toBe(described.length);
  for (const { path, method, tag } of described) {
    const { summary = '' } = document.paths[path]![method.toLowerCase()]!;
    expect(tag.length, path).toBeGreaterThan(0);
    expect(summary.length, path).toBeGreaterThan(0);
  }
});

test('every tag has a description and an operation', () => {
  expect(document.tags.map(({ name }) => name).toSorted()).toEqual(
    [...new Set(described.map(({ tag }) => tag))].toSorted(),
  );
  expect(document.tags.filter(({ description = '' }) => description.length < 20)).toEqual([]);
});

test('every operation of the API has the scope of its API key, and is public only without one', () => {
  for (const [id, { path, method, scope }] of Object.entries(operations)) {
    const texts: Record<string, string> = { any: 'Requires an API key.', none: 'Requires no API key.' };
    const expected = texts[scope] ?? `\`${scope}\``;
    expect(document.paths[path]![method]!.description).toContain(expected);
    expect(described.find((operation) => operation.id === id)).toMatchObject({ isPublic: scope === 'none' });
  }
});

test('the path parameters of every operation are those in its path', () => {
  for (const { path, parameters } of described) {
    const inPath = parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name);
    expect(inPath).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
  }
});

describe('every schema is valid JSON Schema 2020-12, and its examples match it', () => {
  // OpenAPI adds the keyword `example`.
  const ajv = new Ajv2020({ strict: true, keywords: ['example'], allowUnionTypes: true });
  addFormats.default(ajv);

  test.each(described.map((operation) => [operation.id, operation] as const))('of %s', (_, operation) => {
    const contents = [
      operation.body,
      ...Object.values(operation.responses).map(({ content = {} }) => content),
    ];
    const schemas = [
      ...operation.parameters.map(({ schema }) => schema),
      ...contents.flatMap((content) => Object.values(content).map(({ schema }) => schema ?? {})),
    ].flatMap(partsOf);
    for (const schema of schemas) {
      const validate = ajv.compile(schema);
      const examples = [...(schema.examples ?? []), schema.example, schema.default];
      for (const example of examples.filter((one) => one !== undefined)) {
        expect(validate(example), `${JSON.stringify(example)} ${ajv.errorsText(validate.errors)}`).toBe(true);
      }
    }
  });
});

/** A schema and all schemas within it. */
function partsOf(schema: Schema): Schema[] {
  const { anyOf = [], oneOf = [], allOf = [], properties = {}, items, additionalProperties } = schema;
  const parts = [...anyOf, ...oneOf, ...allOf, ...Object.values(properties)];
  if (items) parts.push(items);
  if (typeof additionalProperties === 'object') parts.push(additionalProperties);
  return [schema, ...parts.flatMap(partsOf)];
}
