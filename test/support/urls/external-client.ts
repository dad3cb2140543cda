import pg from 'pg';
import { track } from '../resources.ts';

export type ExternalClient = Awaited<ReturnType<typeof connectExternalClient>>;

/** Connects as another program, with an application name that is not Linkmill's. */
export async function connectExternalClient(databaseUrl: string) {
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'psql' });
  await client.connect();
  const closed = track('external connection');
  return {
    /** Runs SQL; resolves to the rows of a single statement. */
    async run(sql: string, values?: unknown[]): Promise<Record<string, unknown>[]> {
      const result = await client.query(sql, values);
      return result.rows as Record<string, unknown>[];
    },
    async close(): Promise<void> {
      await client.end();
      closed();
    },
  };
}
