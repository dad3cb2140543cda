import path from 'node:path';
import type { Knex } from '../../../src/storage/postgres/postgres.ts';
import { commandOf } from '../../support/processes/launch.ts';

/** Something that redirects and counts, which the same faults are done to. */
export interface System {
  name: 'linkmill' | 'control';
  /** Command lines of Node. */
  web: string[];
  worker: string[];
  /** Runs one job to its end. */
  job?: (name: string) => string[];
  /** Says by its exit code whether what web processes accepted is what was counted; waits so many seconds for it. */
  reconcile?: (waitSeconds: number) => string[];
  /** Bytes of the commands by which a web process hands over a click, and a worker takes waiting clicks away. */
  commands: { record: string; acknowledge: string };
  /** How long nothing may seem to happen before clicks that are not counted count as lost. */
  patienceMs: number;
  /** What its database needs beyond Linkmill's tables. */
  prepare: (db: Knex) => Promise<void>;
}

/** A command as it stands in Redis' protocol. */
const redisCommand = (name: string) => `\r\n${name}\r\n`;

/** Linkmill, from a build. */
export const linkmill = (buildFolder: string): System => ({
  name: 'linkmill',
  web: commandOf(buildFolder, 'src/web.js'),
  worker: commandOf(buildFolder, 'workers/main.js'),
  job: (name) => commandOf(buildFolder, 'workers/run-job.js', [name]),
  reconcile: (waitSeconds) => commandOf(buildFolder, 'src/cli/reconcile.js', ['--wait', String(waitSeconds)]),
  commands: { record: redisCommand('xadd'), acknowledge: redisCommand('xdel') },
  // A batch that Redis lost is overdue after 5 s; a hung connection is given up after 30 s at most.
  patienceMs: 35_000,
  prepare: async () => {},
});

const naiveFile = (name: string) => ['--import', 'tsx', path.resolve('test/chaos/matrix/naive', name)];

/** The positive control: the usual design, which does lose and double clicks. */
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
