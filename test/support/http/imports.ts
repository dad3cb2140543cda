import { waitUntil } from '../wait-until.ts';
import type { Answer, Client } from './client.ts';

/** Longest time that an import of a test may take, on a busy machine. */
const overWithinMs = 25_000;

/** Uploads a file; resolves to the path of its import. */
export async function upload(
  client: Client,
  content: string | Buffer,
  { query = '', type = 'text/csv' } = {},
) {
  const answer = await client.post(`/api/v1/imports${query}`, content, { 'content-type': type });
  if (answer.status !== 202) throw new Error(`not taken: ${JSON.stringify(answer.body)}`);
  return String(answer.headers.get('location'));
}

/** Uploads a file; resolves to what its import has come to. */
export async function importFile(
  client: Client,
  content: string | Buffer,
  options = {},
): Promise<Answer['body']> {
  const path = await upload(client, content, options);
  return await waitUntil(
    'the import is over',
    async () => {
      const { body } = await client.get(path);
      return (body['state'] === 'completed' || body['state'] === 'failed') && body;
    },
    overWithinMs,
  );
}
