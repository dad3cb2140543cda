import { execFile } from 'node:child_process';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { problemUri } from '../../../src/http/problems/problem-types.ts';
import { useService } from '../../support/processes/service.ts';

const service = useService();
const folder = path.resolve('test/api-client');

interface TourModule {
  tour: (baseUrl: string, apiKey: string) => Promise<Record<string, unknown>>;
}

test('a client generated from the OpenAPI document compiles and manages a short URL', async () => {
  await promisify(execFile)('npm', ['run', 'build'], { cwd: folder });
  const { tour } = (await import(pathToFileURL(`${folder}/generated/js/tour.js`).href)) as TourModule;
  const seen = await tour(service.baseUrl(), service.apiKey());
  const { short_code: code } = seen['created'] as { short_code: string };
  expect(seen).toMatchObject({
    created: { original_url: 'https://example.com/tour', title: 'Tour', tags: ['tour'] },
    bulk: [201, 422],
    sessions: [204, 1, 204],
    listed: [code],
    changed: { short_code: code, title: 'Another tour', tags: ['tour'] },
    staleChange: problemUri('version-mismatch', service.baseUrl()),
    location: 'https://example.com/tour',
    clicks: 1,
    deleted: problemUri('not-found', service.baseUrl()),
    restored: { short_code: code, title: 'Another tour' },
  });
});
