import { openPostgres } from '../../../src/storage/postgres/postgres.ts';
import { migrate } from '../../../src/storage/schema/migrations.ts';

/** The URL of another database on the same server. */
export function databaseUrl(serverUrl: string, database: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${database}`;
  return url.href;
}

/** Runs a statement with the name of a database, such as `create database`. */
export async function administer(serverUrl: string, statement: string): Promise<void> {
  const admin = openPostgres({
    url: serverUrl,
    poolMax: 1,
    queryTimeoutMs: 60_000,
    connectMs: 60_000,
    name: 'test',
  });
  try {
    await admin.raw(statement);
  } finally {
    await admin.destroy();
  }
}

/** Creates the template database: all tables, no rows. */
export async function createTemplate(serverUrl: string, name: string): Promise<void> {
  await administer(serverUrl, `create database ${name}`);
  const url = databaseUrl(serverUrl, name);
  const db = openPostgres({ url, poolMax: 2, queryTimeoutMs: 60_000, connectMs: 60_000, name: 'test' });
  await migrate(db);
  await db.destroy();
}
