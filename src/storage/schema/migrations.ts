import type { Knex } from '../postgres/postgres.ts';
import { createLockTimeout, type LockTimeout } from './lock-timeout.ts';
import { listMigrations, loadMigration, type Migration, ownMigrations } from './migration-files.ts';
import { addToHistory, createHistory, readHistory, removeFromHistory } from './migration-history.ts';
import { describeBlocker, inMigration, isLockConflict, withMigrationLock } from './migration-locks.ts';
import { readSchemaState } from './schema-state.ts';

/** The first and the longest pause between attempts to lock the tables. */
const firstPauseMs = 250;
const longestPauseMs = 5_000;

export interface MigrateOptions {
  /** Total wait for locks of other sessions and for another run. */
  waitMs?: number;
  /** Receives lines for the operator, such as about long waits. */
  report?: (line: string) => void;
  /** The folder of the migrations; tests use their own. */
  folder?: URL;
}

interface Run {
  db: Knex;
  folder: URL;
  lockTimeout: LockTimeout;
}

/** Applies the missing migrations and resolves to their names. Safe in several processes at once: one applies them, the others wait. Each
 *  migration is committed in its own transaction together with its entry in the history, so that a killed run continues where it stopped.
 *  No migration waits long for a lock, so that requests do not queue behind it. Needs two connections; works through PgBouncer. Throws
 *  when the tables belong to another program or to an incompatible newer version; a compatible newer version is reported. */
export async function migrate(db: Knex, options: MigrateOptions = {}): Promise<string[]> {
  await requireUtf8(db);
  const run = startRun(db, options);
  return await withMigrationLock(db, run.lockTimeout, async () => {
    await retry(
      run,
      'knex_migrations',
      async () => await inMigration(db, createCheckedHistory(run, options)),
    );
    const applied = new Set(await namesOfApplied(db));
    const names = (await listMigrations(run.folder)).filter((name) => !applied.has(name));
    const ran: string[] = [];
    for (const name of names) if (await runUp(run, name)) ran.push(name);
    return ran;
  });
}

/** Throws when the database cannot store every text; the message has the command to create another one. */
async function requireUtf8(db: Knex): Promise<void> {
  const { rows } = await db.raw<{ rows: [{ encoding: string; name: string }] }>(
    `select current_setting('server_encoding') as encoding, quote_ident(current_database()) as name`,
  );
  const [{ encoding, name }] = rows;
  if (encoding === 'UTF8') return;
  throw new Error(
    `the database ${name} has the encoding ${encoding}, and Linkmill requires UTF8. Create another one and set DATABASE_URL to it: ` +
      `create database linkmill_utf8 encoding 'UTF8' lc_collate 'C' lc_ctype 'C' template template0`,
  );
}

/** Reverts every migration, the latest first; all data is lost. Throws when a newer version added migrations. */
export async function rollback(db: Knex, options: MigrateOptions = {}): Promise<void> {
  const run = startRun(db, options);
  await withMigrationLock(db, run.lockTimeout, async () => {
    const names = await namesOfApplied(db);
    for (const name of names.toSorted().toReversed()) await runDown(run, name);
  });
}

function startRun(
  db: Knex,
  { waitMs = 600_000, report = () => undefined, folder = ownMigrations }: MigrateOptions,
) {
  return { db, folder, lockTimeout: createLockTimeout(waitMs, report) };
}

const namesOfApplied = async (db: Knex) => (await readHistory(db)).applied.map(({ name }) => name);

/** Creates the history after checking that the tables belong to Linkmill. */
const createCheckedHistory =
  ({ folder }: Run, { report }: MigrateOptions) =>
  async (trx: Knex) => {
    const state = await readSchemaState(trx, folder);
    if (state.kind === 'incompatible' || state.kind === 'unknown') throw new Error(state.reason);
    if (state.kind === 'current' && state.warning !== undefined) report?.(state.warning);
    await createHistory(trx);
  };

/** Applies a migration unless it is applied; resolves to whether it ran. */
async function runUp(run: Run, name: string): Promise<boolean> {
  const { up, transaction, breaksOlderCode = null } = await loadMigration(run.folder, name);
  return await runOnce(run, name, { migration: up, transaction, isDone: (has) => has }, async (trx) =>
    addToHistory(trx, { name, breaksOlderCode }),
  );
}

async function runDown(run: Run, name: string): Promise<boolean> {
  const { down, transaction } = await loadMigration(run.folder, name);
  return await runOnce(run, name, { migration: down, transaction, isDone: (has) => !has }, async (trx) =>
    removeFromHistory(trx, name),
  );
}

async function runOnce(
  run: Run,
  name: string,
  step: {
    migration: Migration['up'];
    transaction: false | undefined;
    isDone: (isApplied: boolean) => boolean;
  },
  record: (trx: Knex) => Promise<void>,
): Promise<boolean> {
  return await retry(run, name, async () => {
    // A migration outside a transaction is idempotent, so it needs no lock.
    if (step.transaction === false) await step.migration(run.db);
    return await inMigration(run.db, async (trx) => {
      if (step.isDone((await namesOfApplied(trx)).includes(name))) return false;
      if (step.transaction !== false) await step.migration(trx);
      await record(trx);
      return true;
    });
  });
}

/** Retries a migration until it gets its locks, or until the lock timeout of the run. */
async function retry<T>({ db, lockTimeout }: Run, name: string, attempt: () => Promise<T>): Promise<T> {
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    try {
      const result = await attempt();
      lockTimeout.reset();
      return result;
    } catch (error) {
      if (!isLockConflict(error)) throw describe(name, error);
      const cause = `${name}: other sessions hold locks on the tables`;
      await lockTimeout.wait(
        pauseMs * (0.75 + Math.random() / 2),
        cause,
        async () => await describeBlocker(db),
      );
    }
  }
}

/** Wraps an error with the name of the migration, without the statement, which may be long. */
function describe(name: string, error: unknown): Error {
  const reason = error instanceof Error ? error.message.split(' - ').at(-1) : String(error);
  return new Error(`${name}: ${reason}`, { cause: error });
}
