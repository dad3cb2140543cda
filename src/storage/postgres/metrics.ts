import { durationHistogram, gauge, type Metric } from '../../metrics/prometheus.ts';

/** The state of a connection pool (tarn, inside knex). */
export interface PoolState {
  readonly max: number;
  numUsed(): number;
  numFree(): number;
  numPendingAcquires(): number;
}

/** Records the durations of one pool, in seconds. */
export interface PoolObserver {
  /** From the request for a connection until it is acquired or the wait times out. */
  acquired(seconds: number): void;
  /** From sending a statement to its result or error. */
  queried(seconds: number): void;
}

export type PostgresMetrics = ReturnType<typeof createPostgresMetrics>;

/** The use of PostgreSQL by a process: connections, waits and statements, by pool. */
export function createPostgresMetrics() {
  const pools = new Map<string, PoolState>();
  const acquires = durationHistogram(
    'postgres_pool_acquire_duration_seconds',
    'Time that statements and transactions waited for a connection of the pool',
    ['pool'],
  );
  const queries = durationHistogram(
    'postgres_query_duration_seconds',
    'Time from sending a statement to PostgreSQL until its result or error',
    ['pool'],
  );
  const ofEach = (read: (pool: PoolState) => number) =>
    [...pools].map(([pool, state]) => ({ value: read(state), labels: { pool } }));

  return {
    /** Adds a pool; its name is the value of the label `pool`. */
    addPool(name: string, state: PoolState): PoolObserver {
      const labels = { pool: name.replaceAll('-', '_') };
      pools.set(labels.pool, state);
      return {
        acquired: (seconds) => acquires.observe(labels, seconds),
        queried: (seconds) => queries.observe(labels, seconds),
      };
    },

    async read(): Promise<Metric[]> {
      const inUse = ofEach((pool) => pool.numUsed());
      const idle = ofEach((pool) => pool.numFree());
      const withState = (state: string, samples: typeof idle) =>
        samples.map(({ value, labels }) => ({ value, labels: { ...labels, state } }));
      return [
        gauge('postgres_pool_connections', 'Open connections to PostgreSQL, by pool and state', [
          ...withState('in_use', inUse),
          ...withState('idle', idle),
        ]),
        gauge(
          'postgres_pool_max_connections',
          'Maximum number of connections of each pool',
          ofEach(({ max }) => max),
        ),
        gauge(
          'postgres_pool_waiting_requests',
          'Statements and transactions that wait for a connection of the pool',
          ofEach((pool) => pool.numPendingAcquires()),
        ),
        await acquires.read(),
        await queries.read(),
      ];
    },
  };
}
