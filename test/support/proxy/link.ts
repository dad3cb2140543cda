import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** A longer pattern is only found within one chunk of data. */
const longestPattern = 64;
/** Bytes at the start of a connection that contain its name. */
const greetingBytes = 1_000;
/** Time limit for the rest of a dropped reply after its first bytes. */
const replyMs = 20;

/** A trap on the commands of all links. */
export interface LinkTrap {
  pattern: string;
  /** `forward` sends the command to the server; 'held' holds the following data until it is called. */
  spring: (link: Link, trap: LinkTrap, forward: () => void) => 'held' | void;
  done: () => void;
}

export type Link = ReturnType<typeof createLink>;

/** The connection of a client and its connection to the server. */
export function createLink(
  client: Socket,
  target: number,
  { traps, muted, latencyMs }: { traps: Set<LinkTrap>; muted: Set<string>; latencyMs: () => number },
) {
  const server = connect(target, '127.0.0.1');
  const toServer = createPipe(client, server, latencyMs);
  const toClient = createPipe(server, client, latencyMs);
  let greeting = '';
  let recent = '';
  let kept: Buffer[] | undefined;
  let awaitsReply: (() => void) | undefined;
  let swallowing = false;
  const closed = Promise.all([client, server].map((socket) => once(socket, 'close')));

  const link = {
    closed,
    localPort: () => server.localPort,
    swallow: () => {
      swallowing = true;
    },
    muteIfNamed: () => {
      swallowing ||= [...muted].some((name) => greeting.includes(name));
    },
    reset: () => {
      client.resetAndDestroy();
      server.resetAndDestroy();
    },
    /** Drops further data of the server, and resets the connection after the first data. */
    onReply: (done: () => void) => {
      awaitsReply = done;
    },
  };

  function onCommand(chunk: Buffer): void {
    if (greeting.length < greetingBytes) greeting += chunk.toString('latin1');
    link.muteIfNamed();
    if (swallowing) return;
    if (kept) {
      kept.push(chunk);
      return;
    }
    const text = recent + chunk.toString('latin1').toLowerCase();
    // A pattern may begin in an earlier chunk, but must end in this one.
    const trap = [...traps].find(({ pattern }) =>
      text.includes(pattern, Math.max(0, recent.length - pattern.length + 1)),
    );
    recent = text.slice(-longestPattern);
    if (!trap) {
      toServer(chunk);
      return;
    }
    recent = '';
    traps.delete(trap);
    const outcome = trap.spring(link, trap, () => {
      const waiting = kept ?? [];
      kept = undefined;
      for (const held of [chunk, ...waiting]) toServer(held);
    });
    if (outcome === 'held') kept = [];
  }

  client.on('data', onCommand);
  server.on('data', (chunk: Buffer) => {
    if (swallowing) return;
    if (!awaitsReply) {
      toClient(chunk);
      return;
    }
    swallowing = true;
    const done = awaitsReply;
    setTimeout(() => {
      link.reset();
      done();
    }, replyMs);
  });
  for (const [from, to] of [
    [client, server],
    [server, client],
  ] as const) {
    from.setNoDelay(true);
    // The other end of a half-open connection does not receive its end.
    from.on('end', () => swallowing || to.end());
    from.on('error', () => swallowing || to.resetAndDestroy());
    from.on('close', () => swallowing || to.destroy());
  }
  return link;
}

/** Forwards chunks in order, each with the latency at its arrival. */
function createPipe(from: Socket, to: Socket, latencyMs: () => number): (chunk: Buffer) => void {
  let last: Promise<unknown> | undefined;
  const write = (chunk: Buffer) => {
    if (to.destroyed || to.write(chunk)) return;
    from.pause();
    to.once('drain', () => from.resume());
  };
  return (chunk) => {
    const ms = latencyMs();
    if (ms === 0 && !last) {
      write(chunk);
      return;
    }
    const due = Promise.all([last, delay(ms)]).then(() => {
      write(chunk);
      if (last === due) last = undefined;
    });
    last = due;
  };
}
