import { openPostgres } from '../../../src/storage/postgres/postgres.ts';
import { migrate } from '../../../src/storage/schema/migrations.ts';

/** The address of another database on the same server. */
export function databaseUrl(serverUrl: string, database: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${database}`;
  return url.href;
}

/** Runs one statement that names a database, such as `create database`. */
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

/** Makes a database with every table and no row, to be cloned. */
export async function createTemplate(serverUrl: string, name: string): Promise<void> {
  await administer(serverUrl, `create database ${name}`);
  const url = databaseUrl(serverUrl, name);
  const db = openPostgres({ url, poolMax: 2, queryTimeoutMs: 60_000, connectMs: 60_000, name: 'test' });
  await migrate(db);
  await db.destroy();
}
