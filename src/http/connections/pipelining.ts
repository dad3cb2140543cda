import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Connection, Connections } from './connections.ts';
import { readInChunks } from './read-limit.ts';

/** A connection with more waiting requests than this is read in small chunks from then on. */
const fewWaiting = 16;

/** The undocumented fields with which Node's HTTP server applies backpressure. */
interface PausableSocket extends Socket {
  _paused?: boolean;
}
interface QueuedResponse extends ServerResponse {
  /** Adds to the bytes that wait to be sent. Above a limit Node stops reading requests. */
  _onPendingData?: (bytes: number) => void;
}

type Handle = (request: IncomingMessage, response: ServerResponse, connection: Connection) => void;

/** Handles the pipelined requests of each connection in order, one per turn of the event loop. While requests wait, their connection
 *  is not read: a client gets no more work done than it reads responses. Node parses everything that it has read, so requests can still pile
 *  up; with more than `maxWaiting` on all connections together, the connection that adds to them is closed. */
export function answerInOrder(
  handle: Handle,
  { connections, maxWaiting }: { connections: Connections; maxWaiting: number },
): RequestListener {
  function wait(connection: Connection, response: ServerResponse, begin: () => void): void {
    const { socket } = connection;
    if (socket.destroyed) return;
    connections.addWaiting(connection, 1);
    if (connections.counts.waiting > maxWaiting && connection.waiting > fewWaiting) {
      connections.countCut();
      socket.destroy();
      return;
    }
    if (connection.waiting === 1) stopReading(socket, response);
    response.once('socket', () => {
      if (connection.waiting > fewWaiting) readInChunks(socket);
      connections.addWaiting(connection, -1);
      if (connection.waiting === 0) resumeReading(socket, response);
      // Gives other connections a turn.
      setImmediate(() => {
        if (!socket.destroyed) begin();
      });
    });
  }

  return (request, response) => {
    const connection = connections.use(request, response);
    if (connection === undefined) return;
    // Node assigns the socket to the first unanswered response.
    if (response.socket === null) wait(connection, response, () => handle(request, response, connection));
    else handle(request, response, connection);
  };
}

/** Pauses reading through Node's backpressure, as if too many bytes of responses waited. A Node.js version without these fields gets a plain
 *  pause, which Node may end too early; `maxWaiting` limits the damage. */
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

function resumeReading(socket: PausableSocket, response: QueuedResponse): void {
  if (hasBackpressure(socket, response)) response._onPendingData?.(-pauseBytes(socket));
  else socket.resume();
}

const hasBackpressure = ({ _paused }: PausableSocket, { _onPendingData }: QueuedResponse) =>
  typeof _paused === 'boolean' && typeof _onPendingData === 'function';

const pauseBytes = (socket: Socket) => socket.writableHighWaterMark + 1;
