import { request } from 'node:http';
import { expect, test } from 'vitest';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import { useWeb } from '../../support/http/web-app.ts';
import { waitUntil } from '../../support/wait-until.ts';

const web = useWeb({ MAX_IMPORTS_AND_EXPORTS_PER_API_KEY: '3' });
const csv = { 'content-type': 'text/csv' };

const createKey = async () =>
  (await createApiKeys(web.database.db()).create('some', { scopes: ['urls:read', 'urls:write'] })).key;

/** Begins an upload that does not end. */
function beginUpload(key: string) {
  const sending = request(`${web.baseUrl()}/api/v1/imports`, {
    method: 'POST',
    headers: { ...csv, 'x-api-key': key },
  });
  const answered = new Promise<number | undefined>((resolve) => {
    sending.on('response', (response) => resolve(response.resume().statusCode));
    sending.on('error', () => resolve(undefined));
  });
  sending.write('original_url\n');
  return { sending, answered };
}

test('concurrent exports of an API key are limited until one is deleted', async () => {
  const client = web.client(await createKey());
  const create = async () => await client.post('/api/v1/exports', {});
  const answers = await Promise.all(Array.from({ length: 8 }, create));
  expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([
    202, 202, 202, 409, 409, 409, 409, 409,
  ]);
  expect(await create()).toBeProblem('too-many-transfers');
  expect((await web.client(await createKey()).post('/api/v1/exports', {})).status).toBe(202);
  await client.delete(answers.find(({ status }) => status === 202)!.headers.get('location')!);
  expect((await create()).status).toBe(202);
});

test('unfinished imports of an API key are limited until one is deleted', async () => {
  const client = web.client(await createKey());
  const upload = async () => await client.post('/api/v1/imports', 'original_url\n', csv);
  const answers = await Promise.all(Array.from({ length: 6 }, upload));
  expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([202, 202, 202, 409, 409, 409]);
  expect(await upload()).toBeProblem('too-many-transfers');
  await client.delete(answers.find(({ status }) => status === 202)!.headers.get('location')!);
  expect((await upload()).status).toBe(202);
});

test('unfinished uploads are limited, also after their imports are deleted', async () => {
  const key = await createKey();
  const client = web.client(key);
  const uploads = [1, 2, 3].map(() => beginUpload(key));
  const list = async () => (await client.get('/api/v1/imports')).body['items'] as { id: number }[];
  const begun = await waitUntil('three uploads have begun', async () => {
    const imports = await list();
    return imports.length === 3 && imports;
  });
  for (const { id } of begun) await client.delete(`/api/v1/imports/${id}`);
  expect(await client.post('/api/v1/imports', 'original_url\n', csv)).toBeProblem('too-many-transfers');
  uploads[0]!.sending.write('https://example.com/\n'.repeat(20_000));
  expect(await uploads[0]!.answered).toBe(408);
  for (const { sending } of uploads) sending.destroy();
  await waitUntil('another import is accepted', async () => {
    return (await client.post('/api/v1/imports', 'original_url\n', csv)).status === 202;
  });
});
