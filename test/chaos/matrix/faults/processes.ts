import type { Fault } from '../fault.ts';
import type { Member } from '../member.ts';
import type { Stack } from '../stack.ts';

/** Kills a process of the stack and restarts it. */
export async function killMember({ print }: Pick<Stack, 'print'>, member: Member): Promise<void> {
  print(`${member.name}: killed`);
  await member.kill();
  await member.start();
}

const maxShutdownMs = 10_000;

/** Sends SIGTERM to a process, as a deployment does, and restarts it. */
async function replaceMember({ print, problems, delays }: Stack, member: Member): Promise<void> {
  const { end, ms } = await member.terminate();
  print(`${member.name}: SIGTERM, ended with ${end} after ${(ms / 1_000).toFixed(1)} s`);
  if (end !== 0) problems.push(`${member.name} ended with ${end}`);
  if (ms > maxShutdownMs) delays.push(`${member.name} took ${(ms / 1_000).toFixed(1)} s to exit`);
  await member.start();
}

export const webKilled: Fault = {
  name: 'web-killed',
  description: 'a web process gets SIGKILL and restarts',
  times: 5,
  inject: async (stack) => await killMember(stack, stack.random.pick(stack.webs)),
};

export const webKilledUnacknowledged: Fault = {
  ...webKilled,
  name: 'web-killed-ack-off',
  description:
    'a web process with CLICK_ACK=false, which answers before Redis has the click, gets SIGKILL and restarts',
  settings: { CLICK_ACK: 'false' },
  allowsLoss: true,
};

export const workerKilled: Fault = {
  name: 'worker-killed',
  description: 'a worker gets SIGKILL and restarts',
  times: 5,
  inject: async (stack) => await killMember(stack, stack.random.pick(stack.workers)),
};

export const sigterm: Fault = {
  name: 'sigterm',
  description: 'each process in turn gets SIGTERM and restarts; no request may fail',
  times: 4,
  requiresSuccess: true,
  inject: async (stack, turn) => await replaceMember(stack, stack.members[turn % stack.members.length]!),
};

export const rollingRestart: Fault = {
  name: 'rolling-restart',
  description: 'the web processes restart one after the other, as in a rolling restart; no request may fail',
  times: 2,
  requiresSuccess: true,
  inject: async (stack) => {
    for (const web of stack.webs) await replaceMember(stack, web);
  },
};
