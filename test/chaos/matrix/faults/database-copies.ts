import { spawnSync } from 'node:child_process';
import { rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import { readCounted } from '../../../support/clicks/counts.ts';
import { dumpDatabase, restoreDump } from '../../../support/urls/database-dump.ts';
import { waitUntil } from '../../../support/wait-until.ts';
import type { Stack } from '../stack.ts';

type Counts = Map<string, number>;

/** Replaces the database by the copy. Resolves to the clicks per short code before the replacement and in the copy. */
export type Replace = () => Promise<{ before: Counts; after: Counts }>;

/** Takes a dump that is restored while the service runs. */
export async function takeDump(stack: Stack): Promise<Replace> {
  const dump = await dumpDatabase(stack.databaseUrl);
  return async () => {
    stack.print('PostgreSQL: the dump is restored');
    // Transactions of the service may deadlock with the restore.
    const { before, after } = await waitUntil('the dump is restored', async () => {
      return await restoreDump(stack.databaseUrl, dump, readCounts);
    });
    return { before: before!, after: after! };
  };
}

async function readCounts(client: pg.Client): Promise<Counts> {
  const { rows } = await client.query<{ code: string; count: string }>(
    'select short_code as code, click_count as count from urls join url_stats on url_id = id',
  );
  return new Map(rows.map(({ code, count }) => [code, Number(count)]));
}

/** Takes a standby that receives no further changes. It replaces the primary, answers reads, and is promoted. */
export async function takeStandby(stack: Stack): Promise<Replace> {
  const { db, postgres } = stack;
  const { rows } = await db.raw(`select current_setting('data_directory') as "dataDir"`);
  const dataDir: string = rows[0].dataDir;
  const standby = `${dataDir}.standby`;
  await copyRunningServer(postgres.url, dataDir, standby);
  return async () => {
    let before: Counts = new Map();
    stack.print('PostgreSQL: killed, a standby that lagged takes its place');
    await stack.restart('postgres', async () => {
      await postgres.start();
      before = await readCounted(db);
      await postgres.kill();
      await rm(dataDir, { recursive: true });
      await rename(standby, dataDir);
    });
    // The standby is read-only until it is promoted.
    const after = await readCounted(db);
    await waitUntil('the standby is promoted', async () => {
      const result = await db.raw('select pg_promote(true, 60) as promoted');
      return result.rows[0].promoted as boolean;
    });
    stack.print('PostgreSQL: promoted');
    return { before, after };
  };
}

/** Creates a standby from a running server, like pg_basebackup. */
async function copyRunningServer(url: string, dataDir: string, standby: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`select pg_backup_start('standby', true)`);
    copyFiles(dataDir, standby);
    const { rows } = await client.query<{ labelfile: string }>('select labelfile from pg_backup_stop(false)');
    // Includes the log up to the end of the copy.
    copyFiles(`${dataDir}/pg_wal/.`, path.join(standby, 'pg_wal'));
    await writeOwned(standby, 'backup_label', rows[0]!.labelfile);
    await writeOwned(standby, 'standby.signal', '');
    await rm(path.join(standby, 'postmaster.pid'), { force: true });
  } finally {
    await client.end();
  }
}

/** Ignores errors: the copy does not need files that the server removes meanwhile. */
function copyFiles(from: string, to: string): void {
  spawnSync('cp', ['-a', from, to]);
}

/** Writes a file that the server's user owns. */
async function writeOwned(folder: string, name: string, content: string): Promise<void> {
  const file = path.join(folder, name);
  copyFiles(path.join(folder, 'PG_VERSION'), file);
  await writeFile(file, content);
}
