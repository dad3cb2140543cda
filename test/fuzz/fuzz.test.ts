import { beforeAll, describe, expect, test } from 'vitest';
import { createApiKeys } from '../../src/api-keys/api-keys.ts';
import { createReportStore } from '../../src/reports/report-store.ts';
import { createSessionStore } from '../../src/sessions/session-store.ts';
import { useService } from '../support/processes/service.ts';
import { type Callers, createCallers } from './api/callers.ts';
import { fuzz } from './api/fuzz.ts';
import { readOperations } from './api/operations.ts';
import { fuzzSettings } from './api/stack.ts';

const service = useService(fuzzSettings);
const seed = 20_261_121;
let document: object;
let callers: Callers;
beforeAll(async () => {
  document = (await service.client(null).get('/openapi.json')).body;
  // Generated requests rarely create a valid report, so the test inserts one.
  await createReportStore(service.database.db()).add({
    shortCode: 'reported',
    originalUrl: 'https://example.com/reported',
    reason: 'spam',
    comment: null,
  });
  const db = service.database.db();
  callers = await createCallers({ apiKeys: createApiKeys(db), sessions: createSessionStore(db) });
});

const run = async (described: object, requests: number, firstSeed = seed) =>
  await fuzz({ baseUrl: service.baseUrl(), document: described, callers, requests, seed: firstSeed });

/** A copy of the OpenAPI document with one change. */
function changed(change: (copy: Document) => void): object {
  const copy = structuredClone(document) as Document;
  change(copy);
  return copy;
}

interface Document {
  paths: Record<string, Record<string, { responses: Record<string, { content: Content }> }>>;
}
type Content = Record<string, { schema: { properties: Record<string, object>; required: string[] } }>;

test('up to 15,000 generated requests get documented responses, and each operation succeeds', async () => {
  const ofApi = readOperations(document).filter(({ isPublic }) => !isPublic);
  const unsuccessful = new Set(ofApi.map(({ id }) => id));
  // About one in 70 generated analytics queries is valid and for an existing short URL.
  for (let round = 0; round < 3 && unsuccessful.size > 0; round += 1) {
    const { findings, answers } = await run(document, 5_000, seed + 1_000 * round);
    expect(findings).toEqual([]);
    for (const [id, counts] of answers)
      if ([...counts.keys()].some((status) => status < 400)) unsuccessful.delete(id);
  }
  expect([...unsuccessful]).toEqual([]);
  expect(service.output()).not.toContain('request failed');
});

describe('the fuzzer detects', () => {
  test.each<[string, (copy: Document) => void, string]>([
    [
      'an undocumented status',
      ({ paths }) => delete paths['/api/v1/urls/{short_code}']!['get']!.responses['404'],
      'getUrl: the status 404 is not documented',
    ],
    [
      'an undocumented problem type',
      ({ paths }) => {
        const { responses } = paths['/api/v1/urls']!['post']!;
        responses['422'] = responses['409']!;
      },
      'createUrl: the body violates its schema: /type must be equal to one of the allowed values',
    ],
    [
      'a missing field',
      ({ paths }) => {
        const { schema } = paths['/']!['get']!.responses['200']!.content['application/json']!;
        schema.properties['color'] = { type: 'string' };
        schema.required.push('color');
      },
      "getService: the body violates its schema:  must have required property 'color'",
    ],
    [
      'an undocumented content type',
      ({ paths }) => {
        const { content } = paths['/health']!['get']!.responses['200']!;
        content['text/plain'] = content['application/json']!;
        delete content['application/json'];
      },
      'getHealth: the content type application/json is not documented',
    ],
  ])(
    '%s',
    async (_, change, expected) => {
      const { findings } = await run(changed(change), 600);
      const found = findings.map(({ operation, problem }) => `${operation}: ${problem}`);
      expect(found.filter((line) => line.startsWith(expected))).toHaveLength(1);
      expect(found).toHaveLength(1);
      expect(findings[0]!.curl).toMatch(/^curl /);
    },
    120_000,
  );
});
