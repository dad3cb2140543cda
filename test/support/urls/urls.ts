import type { Knex } from '../../../src/storage/postgres/postgres.ts';
import type { Client } from '../http/client.ts';

/** Creates a short URL over the API; resolves to its short code. */
export async function createUrl(client: Client, body: Record<string, unknown> = {}): Promise<string> {
  const answer = await client.post('/api/v1/urls', { original_url: 'https://example.com/page', ...body });
  if (answer.status !== 201) throw new Error(`not created: ${JSON.stringify(answer.body)}`);
  return String(answer.body['short_code']);
}

/** Inserts `count` short URLs by SQL, with codes from `begin` and a number, and as many clicks as the number, or none. */
export async function insertUrls(
  db: Knex,
  options: { begin: string; count: number; expiresAt?: Date | null; areClicked?: boolean },
): Promise<void> {
  const { begin, count, expiresAt = null, areClicked = true } = options;
  await db.raw(
    `with u as (
       insert into urls (short_code, original_url, code_is_generated, expires_at)
       select :begin || n, 'https://example.com/' || :begin || n, true, cast(:expiresAt as timestamptz)
       from generate_series(0, :last) as n
       returning id, short_code
     )
     insert into url_stats (url_id, click_count)
     select id, case when :areClicked then cast(substr(short_code, length(:begin) + 1) as bigint) else 0 end from u`,
    { begin, last: count - 1, expiresAt, areClicked },
  );
}
