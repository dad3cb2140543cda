import { withDeadline } from '../../../../src/resilience/shutdown.ts';
import type { Proxy, Trap } from '../../../support/proxy/proxy.ts';
import type { Fault } from '../fault.ts';
import type { Member } from '../member.ts';
import { pause, type Stack } from '../stack.ts';

/** Latency that keeps data in transit when connections are reset. */
const latencyMs = 5;

/** Resets all connections of one process to Redis and PostgreSQL, with data in transit. */
export async function cutConnections(stack: Stack): Promise<void> {
  const { name, proxies } = stack.random.pick(stack.members);
  const both = [proxies.redis, proxies.postgres];
  for (const proxy of both) proxy.setLatency(latencyMs);
  await pause(stack, 50, 250);
  const [redis, postgres] = both.map((proxy) => proxy.cut());
  for (const proxy of both) proxy.setLatency(0);
  stack.print(`${name}: ${redis} connections to Redis and ${postgres} to PostgreSQL reset`);
}

/** Sets the same trap at several processes, waits until one triggers it, and cancels the others. */
export async function trapFirst<T extends Trap>(
  members: readonly Member[],
  set: (proxies: Record<'redis' | 'postgres', Proxy>) => T,
): Promise<{ member: Member; trap: T }> {
  const traps = members.map((member) => ({ member, trap: set(member.proxies) }));
  const first = Promise.race(traps.map(async (entry) => await entry.trap.sprung.then(() => entry)));
  try {
    return await withDeadline(first, 15_000, () => {
      throw new Error('no process sent the expected command');
    });
  } finally {
    for (const { trap } of traps) trap.cancel();
  }
}

/** Drops, in turn, the reply to a click sent to Redis, to a deletion from the stream, and to a commit in PostgreSQL. */
export async function dropReply(
  { random, webs, workers, print, system }: Stack,
  turn: number,
): Promise<void> {
  const { record, acknowledge } = system.commands;
  const kinds = [
    { what: 'a click', members: [random.pick(webs)], store: 'redis', bytes: record },
    { what: 'a deletion', members: workers, store: 'redis', bytes: acknowledge },
    { what: 'a commit', members: workers, store: 'postgres', bytes: 'commit' },
  ] as const;
  const { what, members, store, bytes } = kinds[turn % kinds.length]!;
  const { member } = await trapFirst(members, (proxies) => proxies[store].dropReplyTo(bytes));
  print(`${member.name}: the reply to ${what} dropped, connection reset`);
}

export const connectionsReset: Fault = {
  name: 'connections-reset',
  description:
    'all connections of a process to Redis and PostgreSQL are reset while data is in transit (5 ms latency)',
  times: 12,
  breaksControl: true,
  inject: cutConnections,
};

export const repliesDropped: Fault = {
  name: 'replies-dropped',
  description:
    'a command (XADD, XDEL, COMMIT in turn) is executed, but its reply is dropped and the connection reset',
  times: 9,
  breaksControl: true,
  inject: dropReply,
};
