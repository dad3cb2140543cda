import type { Socket } from 'node:net';

/** A few dozen of the shortest requests: Node's parser takes what it gets at once, and reads 64 KiB if left alone. */
const chunkBytes = 2_048;

const inPieces = new WeakSet<Socket>();

type Listener = (...args: unknown[]) => void;

/** Has Node's HTTP parser take what comes over a connection in small chunks, each when it is not paused. */
export function readInChunks(socket: Socket): void {
  const [parse] = socket.listeners('data') as ((data: Buffer) => void)[];
  if (parse === undefined || inPieces.has(socket)) return;
  inPieces.add(socket);
  // They start and stop reading for the parser. Node removes them as soon as something else listens to the data.
  const switches = (['pause', 'resume'] as const).map(
    (event) => [event, socket.listeners(event) as Listener[]] as const,
  );
  // With this listener Node hands on what it reads, which otherwise goes straight to its parser.
  socket.on('data', (data: Buffer) => {
    parse(data.subarray(0, chunkBytes));
    if (data.length > chunkBytes && socket.readable) socket.unshift(data.subarray(chunkBytes));
  });
  socket.removeListener('data', parse);
  for (const [event, listeners] of switches)
    for (const listener of listeners)
      if (!socket.listeners(event).includes(listener)) socket.on(event, listener);
}
