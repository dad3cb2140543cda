import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Connection, Connections } from './connections.ts';
import { readInChunks } from './read-limit.ts';

/** Requests that wait on one connection, beyond which it is read in small chunks from then on. */
const fewWaiting = 16;

/** The undocumented fields with which Node's HTTP server applies backpressure. */
interface PausableSocket extends Socket {
  _paused?: boolean;
}
interface QueuedResponse extends ServerResponse {
  /** Adds to the bytes that wait to be sent; beyond a limit Node reads no further requests. */
  _onPendingData?: (bytes: number) => void;
}

type Handle = (request: IncomingMessage, response: ServerResponse, connection: Connection) => void;

/** Has `handle` answer the requests of each connection one after the other, as they came, and one per turn of the event loop. While one
 *  waits its connection is not read, so that a client gets no more work done than it takes answers. Node parses at once what it has
 *  read at once: where more than `maxWaiting` requests of all connections wait, the connection that adds to them is closed. */
export function answerInTurn(
  handle: Handle,
  { connections, maxWaiting }: { connections: Connections; maxWaiting: number },
): RequestListener {
  function wait(connection: Connection, response: ServerResponse, begin: () => void): void {
    const { socket } = connection;
    if (socket.destroyed) return;
    connections.addWaiting(connection, 1);
    if (connections.counts.waiting > maxWaiting && connection.waiting > fewWaiting) {
      connections.noteCut();
      socket.destroy();
      return;
    }
    if (connection.waiting === 1) stopReading(socket, response);
    response.once('socket', () => {
      if (connection.waiting > fewWaiting) readInChunks(socket);
      connections.addWaiting(connection, -1);
      if (connection.waiting === 0) readOn(socket, response);
      // Other connections have their turn in between.
      setImmediate(() => {
        if (!socket.destroyed) begin();
      });
    });
  }

  return (request, response) => {
    const connection = connections.use(request, response);
    if (connection === undefined) return;
    // Node gives the socket to the response whose turn it is.
    if (response.socket === null) wait(connection, response, () => handle(request, response, connection));
    else handle(request, response, connection);
  };
}

/** As Node does when too many bytes of answers wait: the pause lasts until fewer than this many wait. On a Node without these fields, a plain
 *  pause: Node may read on sooner then, until too many requests wait. */
function stopReading(socket: PausableSocket, response: QueuedResponse): void {
  if (!hasBackpressure(socket, response)) {
    socket.pause();
    return;
  }
  response._onPendingData?.(pauseBytes(socket));
  if (socket._paused) return;
  socket._paused = true;
  socket.pause();
}

function readOn(socket: PausableSocket, response: QueuedResponse): void {
  if (hasBackpressure(socket, response)) response._onPendingData?.(-pauseBytes(socket));
  else socket.resume();
}

const hasBackpressure = ({ _paused }: PausableSocket, { _onPendingData }: QueuedResponse) =>
  typeof _paused === 'boolean' && typeof _onPendingData === 'function';

const pauseBytes = (socket: Socket) => socket.writableHighWaterMark + 1;
