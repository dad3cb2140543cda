import path from 'node:path';
import type { Knex } from '../../../src/storage/postgres/postgres.ts';
import { commandOf } from '../../support/processes/launch.ts';

/** A system that redirects and counts; all systems get the same faults. */
export interface System {
  name: 'linkmill' | 'control';
  /** Command lines of Node. */
  web: string[];
  worker: string[];
  /** Runs one job to its end. */
  job?: (name: string) => string[];
  /** Audits the counts, waiting for pending clicks; the exit code tells the result. */
  reconcile?: (waitSeconds: number) => string[];
  /** Bytes of the commands that record a click and delete counted clicks. */
  commands: { record: string; acknowledge: string };
  /** How long totals must be stable before missing clicks count as lost. */
  patienceMs: number;
  /** Creates tables in addition to Linkmill's. */
  prepare: (db: Knex) => Promise<void>;
}

/** A command in the Redis protocol. */
const redisCommand = (name: string) => `\r\n${name}\r\n`;

/** Linkmill, from a build. */
export const linkmill = (buildFolder: string): System => ({
  name: 'linkmill',
  web: commandOf(buildFolder, 'src/web.js'),
  worker: commandOf(buildFolder, 'workers/main.js'),
  job: (name) => commandOf(buildFolder, 'workers/run-job.js', [name]),
  reconcile: (waitSeconds) => commandOf(buildFolder, 'src/cli/reconcile.js', ['--wait', String(waitSeconds)]),
  commands: { record: redisCommand('xadd'), acknowledge: redisCommand('xdel') },
  // A batch that Redis lost is overdue after 5 s; a hanging connection times out after at most 30 s.
  patienceMs: 35_000,
  prepare: async () => {},
});

const naiveFile = (name: string) => ['--import', 'tsx', path.resolve('test/chaos/matrix/naive', name)];

/** The positive control: a common design that loses and double-counts clicks. */
export const control: System = {
  name: 'control',
  web: naiveFile('web.ts'),
  worker: naiveFile('worker.ts'),
  commands: { record: redisCommand('hincrby'), acknowledge: redisCommand('del') },
  patienceMs: 4_000,
  prepare: async (db) => {
    await db.raw('create table naive_batches (id text primary key)');
  },
};
