import type { Knex } from '../postgres/postgres.ts';
import { createPatience, type Patience } from './lock-timeout.ts';
import { listMigrations, loadMigration, type Migration, ownMigrations } from './migration-files.ts';
import { addToHistory, createHistory, readHistory, removeFromHistory } from './migration-history.ts';
import { describeBlocker, inStep, isLockConflict, whileNoneMigrates } from './migration-locks.ts';
import { readSchemaState } from './schema-state.ts';

/** Pauses between attempts to get the locks of a table: the first, and the longest. */
const firstPauseMs = 250;
const longestPauseMs = 5_000;

export interface MigrateOptions {
  /** How long the run waits in all for locks of other sessions and for another run. */
  waitMs?: number;
  /** Told of each wait that lasts, and of what else an operator should know. */
  report?: (line: string) => void;
  /** Where the migrations are: those of this version unless a test says otherwise. */
  folder?: URL;
}

interface Run {
  db: Knex;
  folder: URL;
  patience: Patience;
}

/** Brings the tables up to date and resolves to the migrations that ran. Any number of processes may call it at once: one runs
 *  them, the others wait and find nothing to do. Each migration has a transaction of its own and is committed with its entry in the
 *  history, so that a run that was killed continues where it stopped. None waits longer than a moment for a lock, so that requests
 *  do not queue up behind it. Needs two connections; holds through PgBouncer. Throws where the tables are not those of this version
 *  or of an older one, except that migrations of a newer version are reported where this version can work with them. */
export async function migrate(db: Knex, options: MigrateOptions = {}): Promise<string[]> {
  await requireUtf8(db);
  const run = startRun(db, options);
  return await whileNoneMigrates(db, run.patience, async () => {
    await retry(run, 'knex_migrations', async () => await inStep(db, createCheckedHistory(run, options)));
    const applied = new Set(await namesOfApplied(db));
    const names = (await listMigrations(run.folder)).filter((name) => !applied.has(name));
    const ran: string[] = [];
    for (const name of names) if (await runUp(run, name)) ran.push(name);
    return ran;
  });
}

/** Throws where the database cannot store every text, with what to type. */
async function requireUtf8(db: Knex): Promise<void> {
  const { rows } = await db.raw<{ rows: [{ encoding: string; name: string }] }>(
    `select current_setting('server_encoding') as encoding, quote_ident(current_database()) as name`,
  );
  const [{ encoding, name }] = rows;
  if (encoding === 'UTF8') return;
  throw new Error(
    `the database ${name} has the encoding ${encoding}, and Linkmill needs UTF8. Create another one and set DATABASE_URL to it: ` +
      `create database linkmill_utf8 encoding 'UTF8' lc_collate 'C' lc_ctype 'C' template template0`,
  );
}

/** Takes every migration back, the latest first; all data is lost. Throws where a newer version added migrations. */
export async function rollback(db: Knex, options: MigrateOptions = {}): Promise<void> {
  const run = startRun(db, options);
  await whileNoneMigrates(db, run.patience, async () => {
    const names = await namesOfApplied(db);
    for (const name of names.toSorted().toReversed()) await runDown(run, name);
  });
}

function startRun(
  db: Knex,
  { waitMs = 600_000, report = () => undefined, folder = ownMigrations }: MigrateOptions,
) {
  return { db, folder, patience: createPatience(waitMs, report) };
}

const namesOfApplied = async (db: Knex) => (await readHistory(db)).applied.map(({ name }) => name);

/** Makes the history where this database may get one. */
const createCheckedHistory =
  ({ folder }: Run, { report }: MigrateOptions) =>
  async (trx: Knex) => {
    const state = await readSchemaState(trx, folder);
    if (state.kind === 'incompatible' || state.kind === 'unknown') throw new Error(state.reason);
    if (state.kind === 'current' && state.warning !== undefined) report?.(state.warning);
    await createHistory(trx);
  };

/** Runs a migration, unless it has run already; resolves to whether it ran. */
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
  note: (trx: Knex) => Promise<void>,
): Promise<boolean> {
  return await retry(run, name, async () => {
    // What PostgreSQL refuses in a transaction can be run again, so it needs no lock of its own.
    if (step.transaction === false) await step.migration(run.db);
    return await inStep(run.db, async (trx) => {
      if (step.isDone((await namesOfApplied(trx)).includes(name))) return false;
      if (step.transaction !== false) await step.migration(trx);
      await note(trx);
      return true;
    });
  });
}

/** Attempts a migration until it gets its locks, as long as the patience of the run lasts. */
async function retry<T>({ db, patience }: Run, name: string, attempt: () => Promise<T>): Promise<T> {
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    try {
      const result = await attempt();
      patience.reset();
      return result;
    } catch (error) {
      if (!isLockConflict(error)) throw describe(name, error);
      const cause = `${name}: other sessions hold locks on the tables`;
      await patience.wait(pauseMs * (0.75 + Math.random() / 2), cause, async () => await describeBlocker(db));
    }
  }
}

/** An error that names the migration, without the statement, which may be long. */
function describe(name: string, error: unknown): Error {
  const reason = error instanceof Error ? error.message.split(' - ').at(-1) : String(error);
  return new Error(`${name}: ${reason}`, { cause: error });
}
