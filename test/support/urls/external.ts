import pg from 'pg';
import { track } from '../resources.ts';

export type Foreigner = Awaited<ReturnType<typeof connectForeigner>>;

/** Another program at the same database: a connection that is not named as Linkmill's are. */
export async function connectForeigner(databaseUrl: string) {
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'psql' });
  await client.connect();
  const closed = track('foreign connection');
  return {
    /** Runs SQL; resolves to the rows of a single statement. */
    async run(sql: string, values?: unknown[]): Promise<Record<string, unknown>[]> {
      const result = await client.query(sql, values);
      return result.rows as Record<string, unknown>[];
    },
    async leave(): Promise<void> {
      await client.end();
      closed();
    },
  };
}
