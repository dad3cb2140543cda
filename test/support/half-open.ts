import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { track } from './resources.ts';

export type HalfOpenProxy = Awaited<ReturnType<typeof startHalfOpenProxy>>;

/** A TCP proxy on the loopback interface whose connections can be made half-open: both ends keep them, nothing passes. */
export async function startHalfOpenProxy(targetPort: number) {
  const sockets = new Set<Socket>();
  const connections = new Set<{ muted: boolean; greeting: string }>();
  let mutedName: string | undefined;
  const closed = track('half-open proxy');

  const server = createServer((client) => {
    const upstream = connect(targetPort, '127.0.0.1');
    const connection = { muted: false, greeting: '' };
    connections.add(connection);
    client.on('data', (data) => {
      if (connection.greeting.length < 1_000) connection.greeting += data.toString('latin1');
      if (mutedName !== undefined && connection.greeting.includes(mutedName)) connection.muted = true;
    });
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on('data', (data) => connection.muted || to.write(data));
      from.on('error', () => from.destroy());
      from.on('close', () => {
        sockets.delete(from);
        if (!connection.muted) to.destroy();
      });
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };

  return {
    url: `redis://127.0.0.1:${port}`,
    /** From now on nothing passes on the connections that there are; new ones work. */
    mute: () => {
      for (const connection of connections) connection.muted = true;
    },
    /** From now on nothing passes on connections that give themselves this name, new ones included. */
    muteNamed: (name: string) => {
      mutedName = name;
      for (const connection of connections) connection.muted ||= connection.greeting.includes(name);
    },
    stop: async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
      closed();
    },
  };
}
