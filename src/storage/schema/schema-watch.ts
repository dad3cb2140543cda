import type { Log } from '../../log.ts';
import type { Conditions } from '../../resilience/conditions.ts';
import { createPoller } from '../../resilience/poller.ts';
import { withDeadline } from '../../resilience/shutdown.ts';
import type { SchemaState } from './schema-state.ts';

/** How often the migrations are compared: while the tables are usable; while they are not, so that a process that started before the
 *  migration recovers soon after it; and while PostgreSQL does not answer. */
const pollEveryMs = { usable: 30_000, notUsable: 2_000, unknown: 5_000 };
/** Time limit of one comparison. */
const deadlineMs = 2_000;

/** Compares the applied migrations with those of this version, now and repeatedly, and sets the conditions of the schema. While PostgreSQL
 *  is unavailable, the conditions do not change. */
export function watchSchema(deps: {
  read: () => Promise<SchemaState>;
  conditions: Pick<Conditions, 'update'>;
  log: Log;
}) {
  const { read, conditions, log } = deps;
  let listener: ((isUsable: boolean) => void) | undefined;
  let isUsable = true;
  let warned: string | undefined;
  let isStopped = false;
  let pauseMs = pollEveryMs.unknown;
  const poller = createPoller({
    everyMs: () => pauseMs,
    run: compareMigrations,
    onFailure(error) {
      pauseMs = pollEveryMs.unknown;
      // Health checks and the circuit breaker report that PostgreSQL is unavailable.
      log.debug({ err: error }, 'failed to compare migrations');
    },
  });
  const first = poller.poll();

  async function compareMigrations(): Promise<void> {
    const state = await withDeadline(read(), deadlineMs, () => {
      throw new Error('PostgreSQL did not answer in time');
    });
    if (!isStopped) apply(state);
    pauseMs = state.kind === 'current' ? pollEveryMs.usable : pollEveryMs.notUsable;
  }

  function apply(state: SchemaState): void {
    const reasonOf = (kind: SchemaState['kind']) =>
      state.kind === kind && 'reason' in state ? state.reason : undefined;
    conditions.update('schema_outdated', reasonOf('outdated'));
    conditions.update('schema_incompatible', reasonOf('incompatible'));
    conditions.update('short_code_case', reasonOf('code_case'));
    conditions.update('schema_unknown', reasonOf('unknown'));
    const warning = state.kind === 'current' ? state.warning : undefined;
    if (warning !== undefined && warning !== warned) log.warn(warning);
    warned = warning;
    const wasUsable = isUsable;
    isUsable = state.kind === 'current' || state.kind === 'unknown';
    if (isUsable !== wasUsable) listener?.(isUsable);
  }

  return {
    /** Resolves after the first comparison, or after its time limit. */
    first,

    /** Whether this version can work with the tables; true until a comparison says otherwise. */
    isUsable: (): boolean => isUsable,

    /** Calls `changed` whenever the tables become usable or unusable. */
    onChange(changed: (isUsable: boolean) => void): void {
      listener = changed;
    },

    stop(): void {
      isStopped = true;
      void poller.stop();
    },
  };
}
