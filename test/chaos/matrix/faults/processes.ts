import type { Fault } from '../fault.ts';
import type { Member } from '../member.ts';
import type { Stack } from '../stack.ts';

/** Kills a process of the stack and starts it again. */
export async function killMember({ say }: Pick<Stack, 'say'>, member: Member): Promise<void> {
  say(`${member.name}: killed`);
  await member.kill();
  await member.start();
}

const longestEndMs = 10_000;

/** Asks a process to end as a deploy does, and starts it again. */
async function replaceMember({ say, problems, delays }: Stack, member: Member): Promise<void> {
  const { end, ms } = await member.terminate();
  say(`${member.name}: SIGTERM, ended with ${end} after ${(ms / 1_000).toFixed(1)} s`);
  if (end !== 0) problems.push(`${member.name} ended with ${end}`);
  if (ms > longestEndMs) delays.push(`${member.name} took ${(ms / 1_000).toFixed(1)} s to end`);
  await member.start();
}

export const webKilled: Fault = {
  name: 'web-killed',
  does: 'a web process gets a SIGKILL and is started again',
  times: 5,
  inject: async (stack) => await killMember(stack, stack.random.pick(stack.webs)),
};

export const webKilledUnacknowledged: Fault = {
  ...webKilled,
  name: 'web-killed-ack-off',
  does: 'a web process with CLICK_ACK=false, which answers before Redis has the click, gets a SIGKILL and is started again',
  settings: { CLICK_ACK: 'false' },
  notPromised: true,
};

export const workerKilled: Fault = {
  name: 'worker-killed',
  does: 'a worker process gets a SIGKILL and is started again',
  times: 5,
  inject: async (stack) => await killMember(stack, stack.random.pick(stack.workers)),
};

export const terminated: Fault = {
  name: 'terminated',
  does: 'each process in turn gets a SIGTERM and is started again; no request may fail',
  times: 4,
  failsNothing: true,
  inject: async (stack, turn) => await replaceMember(stack, stack.members[turn % stack.members.length]!),
};

export const rolled: Fault = {
  name: 'rolled',
  does: 'the web processes are replaced one after the other, as a rolling deploy does; no request may fail',
  times: 2,
  failsNothing: true,
  inject: async (stack) => {
    for (const web of stack.webs) await replaceMember(stack, web);
  },
};
