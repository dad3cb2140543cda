import type { Socket } from 'node:net';

/** Holds a few dozen of the shortest requests. Node's parser processes everything that is read, 64 KiB by default. */
const chunkBytes = 2_048;

const chunked = new WeakSet<Socket>();

type Listener = (...args: unknown[]) => void;

/** Feeds Node's HTTP parser from a connection in small chunks, each only while the parser is not paused. */
export function readInChunks(socket: Socket): void {
  const [parse] = socket.listeners('data') as ((data: Buffer) => void)[];
  if (parse === undefined || chunked.has(socket)) return;
  chunked.add(socket);
  // These listeners start and stop reading for the parser. Node removes them once another `data` listener is added.
  const switches = (['pause', 'resume'] as const).map(
    (event) => [event, socket.listeners(event) as Listener[]] as const,
  );
  // Without this listener, Node passes data from the socket to its parser directly.
  socket.on('data', (data: Buffer) => {
    parse(data.subarray(0, chunkBytes));
    if (data.length > chunkBytes && socket.readable) socket.unshift(data.subarray(chunkBytes));
  });
  socket.removeListener('data', parse);
  for (const [event, listeners] of switches)
    for (const listener of listeners)
      if (!socket.listeners(event).includes(listener)) socket.on(event, listener);
}
