import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { createLink, type Link, type LinkTrap } from './link.ts';

/** A one-time action of a proxy on the next command with these bytes, in any case. */
export interface Trap {
  /** Resolves when the action has run; never after a cancellation. */
  sprung: Promise<void>;
  cancel(): void;
}

/** A command that a proxy holds, with everything that its client sends after it. */
export interface Hold extends Trap {
  /** Forwards it to the server. */
  release(): void;
  /** Drops it and resets its connection. */
  discard(): void;
}

export type Proxy = Awaited<ReturnType<typeof startProxy>>;

/** A TCP proxy on a free loopback port to `target`, a port of the same machine, that simulates network faults. Bytes
 *  keep their order; a slow reader slows down the writer. */
export async function startProxy(target: number) {
  const links = new Set<Link>();
  const traps = new Set<LinkTrap>();
  const muted = new Set<string>();
  let latencyMs = 0;
  let server = await listen(0);
  const { port } = server.address() as AddressInfo;

  async function listen(onPort: number) {
    const listener = createServer((client) => {
      const link = createLink(client, target, { traps, muted, latencyMs: () => latencyMs });
      links.add(link);
      link.closed.then(
        () => links.delete(link),
        () => undefined,
      );
    }).listen(onPort, '127.0.0.1');
    await once(listener, 'listening');
    return listener;
  }

  function cut(): number {
    const { size } = links;
    for (const link of links) link.reset();
    return size;
  }

  function set(pattern: string, spring: LinkTrap['spring']): Trap {
    let trap!: LinkTrap;
    const sprung = new Promise<void>((resolve) => {
      trap = { pattern: pattern.toLowerCase(), spring, done: resolve };
    });
    traps.add(trap);
    return { sprung, cancel: () => void traps.delete(trap) };
  }

  return {
    port,

    /** The number of open connections. */
    get connections() {
      return links.size;
    },

    /** Whether one of its connections to the server uses this port. */
    comesFrom: (localPort: number) => [...links].some((link) => link.localPort() === localPort),

    /** Resets all connections; returns their number. */
    cut,

    /** Refuses new connections like a closed port; open ones continue. */
    async refuse(): Promise<void> {
      if (!server.listening) return;
      server.close();
      await delay(0);
    },

    /** Accepts new connections again. */
    async accept(): Promise<void> {
      if (!server.listening) server = await listen(port);
    },

    /** Silently drops all data of the open connections; new ones work. */
    goHalfOpen(): number {
      for (const link of links) link.swallow();
      return links.size;
    },

    /** Makes connections half-open whose first commands contain this name, including new ones. Returns a function that
     *  ends this for new connections. */
    mute(name: string): () => void {
      muted.add(name);
      for (const link of links) link.muteIfNamed();
      return () => void muted.delete(name);
    },

    /** Delays each chunk of data in both directions. */
    setLatency(ms: number): void {
      latencyMs = ms;
    },

    /** Forwards the next command that contains these bytes, then drops the reply of the server and resets the
     *  connection: the command is executed, but its client cannot know. */
    dropReplyTo: (pattern: string): Trap =>
      set(pattern, (link, trap, forward) => {
        forward();
        link.onReply(trap.done);
      }),

    /** Holds the next command with these bytes, and the following data. */
    hold(pattern: string): Hold {
      let held: { link: Link; forward: () => void } | undefined;
      const trap = set(pattern, (link, { done }, forward) => {
        held = { link, forward };
        done();
        return 'held';
      });
      return { ...trap, release: () => held?.forward(), discard: () => held?.link.reset() };
    },

    /** Closes the proxy and its connections. */
    async close(): Promise<void> {
      server.close();
      cut();
      await delay(0);
    },
  };
}
