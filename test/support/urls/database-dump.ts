import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';

/** All rows and sequences of a database. */
export interface Dump {
  tables: { name: string; rows: string }[];
  sequences: { name: string; value: string; isCalled: boolean }[];
}

/** Reads a database like pg_dump: rows as text, and the next values of sequences. */
export async function dumpDatabase(url: string): Promise<Dump> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query('begin isolation level repeatable read read only');
    const tables: Dump['tables'] = [];
    for (const name of await tableNames(client))
      tables.push({ name, rows: await text(client.query(copyTo(`copy (select * from ${name}) to stdout`))) });
    const sequences: Dump['sequences'] = [];
    for (const name of await names(client, 'S')) {
      const { rows } = await client.query(`select last_value, is_called from ${name}`);
      sequences.push({ name, value: rows[0].last_value, isCalled: rows[0].is_called });
    }
    return { tables, sequences };
  } finally {
    await client.end();
  }
}

/** Replaces the content of a migrated database like pg_restore, without firing triggers. Resolves to the results of
 *  `read` before and after, while no other session can write. */
export async function restoreDump<T = void>(
  url: string,
  { tables, sequences }: Dump,
  read: (client: pg.Client) => Promise<T | undefined> = async () => undefined,
): Promise<{ before: T | undefined; after: T | undefined }> {
  const client = new pg.Client({ connectionString: url, application_name: 'pg_restore' });
  await client.connect();
  try {
    await client.query('begin');
    await client.query("set local session_replication_role = 'replica'");
    const names = (await tableNames(client)).join(', ');
    await client.query(`lock table ${names} in access exclusive mode`);
    const before = await read(client);
    await client.query(`truncate ${names}`);
    for (const { name, rows } of tables)
      await pipeline(
        Readable.from(rows === '' ? [] : [rows]),
        client.query(copyFrom(`copy ${name} from stdin`)),
      );
    for (const { name, value, isCalled } of sequences)
      await client.query('select setval($1, $2, $3)', [name, value, isCalled]);
    const after = await read(client);
    await client.query('commit');
    return { before, after };
  } finally {
    await client.end();
  }
}

/** Partitioned tables represent their partitions. */
async function tableNames(client: pg.Client): Promise<string[]> {
  const all = [...(await names(client, 'r')), ...(await names(client, 'p'))];
  const { rows } = await client.query('select inhrelid::regclass::text as name from pg_inherits');
  const partitions = new Set(rows.map(({ name }) => name));
  return all.filter((name) => !partitions.has(name) && !name.startsWith('knex_'));
}

async function names(client: pg.Client, kind: string): Promise<string[]> {
  const { rows } = await client.query(
    `select quote_ident(relname) as name from pg_class
     where relkind = $1 and relnamespace = 'public'::regnamespace order by relname`,
    [kind],
  );
  return rows.map(({ name }) => name);
}
