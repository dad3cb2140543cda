import { type Breaker, CircuitOpen } from '../../resilience/circuit-breaker.ts';
import type { Conditions } from '../../resilience/conditions.ts';
import { createPoller } from '../../resilience/poller.ts';
import { describeFailure, isPoolTimeout, sqlStateOf } from './errors.ts';
import { type Knex, onlyRow } from './postgres.ts';
import { findMissingRights, mayChangePartitions } from './rights.ts';
import { neededSettings } from './session.ts';

/** How often PostgreSQL is checked. */
const checkEveryMs = 5_000;
/** Failures in a row without an answer of PostgreSQL that set the condition: on a busy machine a single one is no outage. */
const minFailures = 2;
const minTimeoutMs = 60_000;
/** Most names in one reason. */
const maxNames = 5;

interface State {
  isStandby: boolean;
  isReadOnly: boolean;
  settings: Record<string, string>;
}

async function readState(db: Knex): Promise<State> {
  const result = await db.raw<{ rows: State[] }>(
    `select pg_is_in_recovery() as "isStandby", current_setting('transaction_read_only') = 'on' as "isReadOnly",
            (select json_object_agg(name, setting) from pg_settings where name = any(cast(:names as text[]))) as settings`,
    { names: Object.keys(neededSettings) },
  );
  return onlyRow(result);
}

const listed = (names: string[]) =>
  names.length <= maxNames
    ? names.join(', ')
    : `${names.slice(0, maxNames).join(', ')} and ${names.length - maxNames} more`;

/** A time limit of the role, in milliseconds, is harmless when it is longer than statements take. Row level security that hides rows is found by
 *  itself, so its setting, which PgBouncer leaves at the default, does not matter where it hides none. */
const isFine = (name: string, value: string, needed: string) =>
  value === needed || name === 'row_security' || (name.endsWith('_timeout') && Number(value) >= minTimeoutMs);

/** Names settings that a pooler or missing rights keep Linkmill from changing. */
function explainSettings(settings: Record<string, string>): string | undefined {
  const wrong = Object.entries(settings).filter(
    ([name, value]) => !isFine(name, value, neededSettings[name]!),
  );
  if (wrong.length === 0) return undefined;
  const shown = wrong.map(([name, value]) => `${name} = ${value} instead of ${neededSettings[name]}`);
  return `PostgreSQL runs with ${listed(shown)}. Reset it for the role and the database (alter role … reset …).`;
}

function explainReadOnly({ isStandby, isReadOnly }: State): string | undefined {
  if (isStandby) return 'PostgreSQL is a standby: changes fail until it is promoted.';
  return isReadOnly ? 'PostgreSQL is read-only (default_transaction_read_only): changes fail.' : undefined;
}

const partitionsForbidden =
  'The role of DATABASE_URL may not create and drop partitions of url_analytics: clicks are counted, old rows are not deleted. ' +
  'Run "npm run job -- maintain-analytics" as the owner of the tables once a day.';

/** Keeps the conditions of PostgreSQL up to date: unavailable, read-only, missing rights or tables, session settings that change results.
 *  `check` checks at once; `stop` ends the checks. */
export function watchPostgres(deps: {
  db: Knex;
  conditions: Conditions;
  /** Runs a query, or fails at once while the circuit is open. */
  guard?: Breaker['run'];
  /** Whether this process creates and drops partitions of the analytics. */
  changesPartitions?: boolean;
}) {
  const { db, conditions, changesPartitions = false, guard = async (call) => await call() } = deps;
  let failures = 0;
  const poller = createPoller({
    everyMs: checkEveryMs,
    run: async () => await guard(check),
    onFailure: report,
  });

  async function check(): Promise<void> {
    const state = await readState(db);
    const { tables, rights } = await findMissingRights(db);
    failures = 0;
    conditions.clear('postgres_unavailable');
    conditions.update('postgres_read_only', explainReadOnly(state));
    conditions.update('postgres_settings', explainSettings(state.settings));
    conditions.update(
      'postgres_rights_missing',
      rights.length === 0
        ? undefined
        : `The role of DATABASE_URL lacks ${listed(rights)}. Grant these rights to it, as docs/operations.md shows under "PostgreSQL".`,
    );
    if (changesPartitions) {
      conditions.update(
        'analytics_partitions_forbidden',
        (await mayChangePartitions(db)) ? undefined : partitionsForbidden,
      );
    }
    const isOutdated = conditions.list().some(({ code }) => code === 'schema_outdated');
    conditions.update(
      'postgres_tables_missing',
      tables.length === 0 || isOutdated
        ? undefined
        : `The role of DATABASE_URL does not find ${listed(tables)}. Run npm run migrate, or grant usage on the schema and put it in search_path.`,
    );
  }

  function report(error: unknown): void {
    if (isBusyPool(error)) return;
    failures += 1;
    const cause = error instanceof CircuitOpen ? error.cause : error;
    const isCertain = sqlStateOf(cause) !== undefined || failures >= minFailures;
    if (isCertain) conditions.set('postgres_unavailable', describeFailure(cause));
  }

  /** Whether other queries use all connections of the pool. With an empty pool, the same error means that PostgreSQL accepts none. */
  function isBusyPool(error: unknown): boolean {
    const { pool } = db.client as { pool: { numUsed: () => number } };
    return isPoolTimeout(error) && pool.numUsed() > 0;
  }

  return { check: poller.poll, stop: () => void poller.stop() };
}
