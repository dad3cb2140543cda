import { waitUntil } from '../wait-until.ts';
import type { Answer, Client } from './client.ts';

/** Time limit of an import, on a busy machine. */
const finishedWithinMs = 25_000;

/** Uploads a file; resolves to the path of its import. */
export async function upload(
  client: Client,
  content: string | Buffer,
  { query = '', type = 'text/csv' } = {},
) {
  const answer = await client.post(`/api/v1/imports${query}`, content, { 'content-type': type });
  if (answer.status !== 202) throw new Error(`upload rejected: ${JSON.stringify(answer.body)}`);
  return String(answer.headers.get('location'));
}

/** Uploads a file; resolves to its finished import. */
export async function importFile(
  client: Client,
  content: string | Buffer,
  options = {},
): Promise<Answer['body']> {
  const path = await upload(client, content, options);
  return await waitUntil(
    'the import is finished',
    async () => {
      const { body } = await client.get(path);
      return (body['state'] === 'completed' || body['state'] === 'failed') && body;
    },
    finishedWithinMs,
  );
}
