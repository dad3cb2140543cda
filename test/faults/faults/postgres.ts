import type { Fault } from '../fault.ts';
import { pause, type Stack } from '../stack.ts';

export async function killPostgres(stack: Stack): Promise<void> {
  stack.say('PostgreSQL: killed');
  await stack.restart('postgres');
}

const stopPostgres = (seconds: number) => async (stack: Stack) => {
  stack.say(`PostgreSQL: stopped for ${seconds} s`);
  stack.postgres.hang();
  await pause(stack, seconds * 1_000, seconds * 1_000);
  stack.postgres.goOn();
};

export const postgresKilled: Fault = {
  name: 'postgres-killed',
  does: 'all processes of PostgreSQL get a SIGKILL; it is started again and recovers',
  times: 4,
  inject: killPostgres,
};

export const postgresStopped10: Fault = {
  name: 'postgres-stopped-10',
  does: 'all processes of PostgreSQL get a SIGSTOP, and a SIGCONT 10 s later',
  times: 1,
  inject: stopPostgres(10),
};

export const postgresStopped30: Fault = {
  name: 'postgres-stopped-30',
  does: 'all processes of PostgreSQL get a SIGSTOP, and a SIGCONT 30 s later',
  times: 1,
  inject: stopPostgres(30),
};
