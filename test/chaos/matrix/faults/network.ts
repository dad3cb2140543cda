import { withDeadline } from '../../../../src/resilience/shutdown.ts';
import type { Proxy, Trap } from '../../../support/services/proxy.ts';
import type { Fault } from '../fault.ts';
import type { Member } from '../member.ts';
import { pause, type Stack } from '../stack.ts';

/** Ways that are this long have something on them when they are cut. */
const latencyMs = 5;

/** Resets every connection that one process has to Redis and to PostgreSQL, in the middle of what it says and hears. */
export async function cutConnections(stack: Stack): Promise<void> {
  const { name, proxies } = stack.random.pick(stack.members);
  const both = [proxies.redis, proxies.postgres];
  for (const proxy of both) proxy.setLatency(latencyMs);
  await pause(stack, 50, 250);
  const [redis, postgres] = both.map((proxy) => proxy.cut());
  for (const proxy of both) proxy.setLatency(0);
  stack.say(`${name}: ${redis} connections to Redis and ${postgres} to PostgreSQL cut`);
}

/** Sets the same trap at several processes, waits until one has gone into it, and takes the others away. */
export async function trapFirst<T extends Trap>(
  members: readonly Member[],
  set: (proxies: Record<'redis' | 'postgres', Proxy>) => T,
): Promise<{ member: Member; trap: T }> {
  const traps = members.map((member) => ({ member, trap: set(member.proxies) }));
  const first = Promise.race(traps.map(async (entry) => await entry.trap.sprung.then(() => entry)));
  try {
    return await withDeadline(first, 15_000, () => {
      throw new Error('no process sent the command that was waited for');
    });
  } finally {
    for (const { trap } of traps) trap.cancel();
  }
}

/** In turn: of a click on its way to Redis, of clicks being removed from it, and of a commit in PostgreSQL. */
export async function dropReply({ random, webs, workers, say, system }: Stack, turn: number): Promise<void> {
  const { record, acknowledge } = system.commands;
  const kinds = [
    { what: 'a click', members: [random.pick(webs)], store: 'redis', bytes: record },
    { what: 'an acknowledgement', members: workers, store: 'redis', bytes: acknowledge },
    { what: 'a commit', members: workers, store: 'postgres', bytes: 'commit' },
  ] as const;
  const { what, members, store, bytes } = kinds[turn % kinds.length]!;
  const { member } = await trapFirst(members, (proxies) => proxies[store].dropReplyTo(bytes));
  say(`${member.name}: the reply to ${what} dropped, its connection cut`);
}

export const connectionsCut: Fault = {
  name: 'connections-cut',
  does: 'every connection of a process to Redis and PostgreSQL is reset, on which bytes take 5 ms',
  times: 12,
  breaksControl: true,
  inject: cutConnections,
};

export const repliesDropped: Fault = {
  name: 'replies-dropped',
  does: 'a command (XADD, XDEL, COMMIT in turn) is executed, its reply dropped and the connection reset',
  times: 9,
  breaksControl: true,
  inject: dropReply,
};
