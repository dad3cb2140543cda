import { expect, test } from 'vitest';
import { createApiDocument, exampleBaseUrl } from '../../src/http/openapi/document.ts';

/* The recommended rules of Spectral's ruleset for OpenAPI (https://docs.stoplight.io/docs/spectral) that openapi.test.ts does not check.
   Spectral itself would add 200 packages. */
const document = JSON.parse(JSON.stringify(createApiDocument(exampleBaseUrl))) as {
  info: { description?: string; contact?: object; license?: object };
  servers?: { url: string }[];
  paths: Record<string, Record<string, OperationObject>>;
  components: Record<'schemas' | 'securitySchemes', object>;
  security: object[];
};

interface OperationObject {
  operationId: string;
  description?: string;
  parameters?: { name: string; description?: string }[];
  security?: object[];
  responses: Record<string, unknown>;
}

const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));
const idsOf = (some: OperationObject[]) => some.map(({ operationId }) => operationId);

test('the document has a description, a contact, a license and servers', () => {
  expect(document.info).toMatchObject({
    description: expect.stringMatching(/.{20}/),
    contact: { name: expect.any(String), url: expect.stringMatching(/^https:/) },
    license: { name: expect.any(String) },
  });
  expect(document.servers?.length).toBeGreaterThan(0);
  for (const { url } of document.servers ?? []) expect(url).toMatch(/^\/$|[^/]$/);
});

test('every operation has a description', () => {
  expect(idsOf(operations.filter(({ description = '' }) => description.trim() === ''))).toEqual([]);
});

test('every operation has an answer for success', () => {
  const hasSuccess = ({ responses }: OperationObject) =>
    Object.keys(responses).some((status) => /^[23]/.test(status));
  expect(idsOf(operations.filter((operation) => !hasSuccess(operation)))).toEqual([]);
});

test('every parameter has a description', () => {
  const without = operations.flatMap(({ operationId, parameters = [] }) =>
    parameters
      .filter(({ description = '' }) => description === '')
      .map(({ name }) => `${operationId} ${name}`),
  );
  expect(without).toEqual([]);
});

test('operation IDs and paths are valid in a URL', () => {
  for (const id of idsOf(operations)) expect(id).toMatch(/^[A-Za-z]+$/);
  for (const path of Object.keys(document.paths)) expect(path).toMatch(/^\/(?:[^?#]*[^?#/])?$/);
});

test('every security requirement is a declared scheme', () => {
  const required = [document.security, ...operations.map(({ security = [] }) => security)].flat();
  const names = new Set(required.flatMap((requirement) => Object.keys(requirement)));
  expect([...names].toSorted()).toEqual(Object.keys(document.components.securitySchemes).toSorted());
});

test('every schema of the components is used', () => {
  const text = JSON.stringify(document);
  const unused = Object.keys(document.components.schemas).filter(
    (name) => !text.includes(`"#/components/schemas/${name}"`),
  );
  expect(unused).toEqual([]);
});

test('every enumeration has distinct values of its type', () => {
  const enums = enumsIn(document);
  expect(enums.length).toBeGreaterThan(50);
  for (const { values } of enums) expect(new Set(values).size).toBe(values.length);
  for (const { values, type } of enums.filter((one) => one.type !== undefined))
    expect(new Set(values.map((value) => typeof value))).toEqual(new Set([type]));
});

/** Every `enum` of the schemas within a value. */
function enumsIn(node: unknown): { values: unknown[]; type: string | undefined }[] {
  if (typeof node !== 'object' || node === null) return [];
  const { enum: values, type } = node as { enum?: unknown; type?: unknown };
  const own = Array.isArray(values) ? [{ values, type: typeof type === 'string' ? type : undefined }] : [];
  return [...own, ...Object.values(node).flatMap(enumsIn)];
}
