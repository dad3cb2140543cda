import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** How much of an unread body is read and discarded before the response is sent, and for how long. */
const drainBytes = 256 * 1024;
const drainMs = 1_000;
/** How long a connection is read after its last response: closing at once can reset it before the client has read the response. */
const lingerMs = 2_000;

/** Reads and discards request bodies that `handle` does not read, because the next request on the connection follows them. If a body is
 *  too long or too slow for that, the response has `Connection: close`. */
export function drainUnreadBodies(handle: RequestListener): RequestListener {
  return (request, response) => {
    if (!hasBody(request)) handle(request, response);
    // A short body has usually arrived by the next turn.
    else setImmediate(() => handleWithBody(request, response, handle));
  };
}

function hasBody({ headers }: IncomingMessage): boolean {
  const length = headers['content-length'];
  return (length !== undefined && length !== '0') || headers['transfer-encoding'] !== undefined;
}

function handleWithBody(request: IncomingMessage, response: ServerResponse, handle: RequestListener): void {
  const { socket } = request;
  if (socket.destroyed) return;
  if (request.complete && awaitsContinue(request)) response.writeContinue();
  if (!request.complete) {
    const isAwaited = awaitsContinue(request) ? continueOnRead(request, response) : () => true;
    closeIfUnread(request, response);
    drainBeforeEnd(request, response, isAwaited);
    socket.destroySoon = () => closeSoon(socket, request);
    response.once('finish', () => delete (socket as Partial<Socket>).destroySoon);
  }
  handle(request, response);
}

const awaitsContinue = ({ headers, httpVersion }: IncomingMessage) =>
  headers.expect !== undefined && httpVersion === '1.1';

/** Sends 100 Continue to a client that waits for it, once its body is read. The returned function tells whether it was sent. */
function continueOnRead(request: IncomingMessage, response: ServerResponse): () => boolean {
  const read = request._read.bind(request);
  let isSent = false;
  request._read = (size) => {
    request._read = read;
    if (!response.headersSent) {
      isSent = true;
      response.writeContinue();
    }
    read(size);
  };
  return () => isSent;
}

/** Closes the connection after a response that is sent before the body has arrived. Every way to send headers calls writeHead. */
function closeIfUnread(request: IncomingMessage, response: ServerResponse): void {
  const writeHead = response.writeHead.bind(response) as (...args: unknown[]) => ServerResponse;
  response.writeHead = (...args: unknown[]) => {
    if (!request.complete) response.setHeader('Connection', 'close');
    return writeHead(...args);
  };
}

function drainBeforeEnd(request: IncomingMessage, response: ServerResponse, isAwaited: () => boolean): void {
  const end = response.end.bind(response) as (...args: unknown[]) => ServerResponse;
  response.end = ((...args: unknown[]) => {
    const isLate = request.complete || response.headersSent;
    if (isLate || isTooLong(request) || !isAwaited()) return end(...args);
    drain(request, () => end(...args));
    return response;
  }) as ServerResponse['end'];
}

const isTooLong = ({ headers }: IncomingMessage) => Number(headers['content-length'] ?? 0) > drainBytes;

/** Reads and discards the rest of a body. Calls `onEnd` once: when the body has ended, is too long or too slow, or was aborted. */
function drain(request: IncomingMessage, onEnd: () => void): void {
  let left = drainBytes;
  const finish = () => {
    clearTimeout(timer);
    request.removeListener('data', take).removeListener('end', finish).removeListener('close', finish);
    onEnd();
  };
  const take = (data: Buffer) => {
    left -= data.length;
    if (left < 0) finish();
  };
  const timer = setTimeout(finish, drainMs);
  discard(request).on('data', take).once('end', finish).once('close', finish);
}

/** Discards a body instead of passing it to its current readers. */
function discard(request: IncomingMessage): IncomingMessage {
  return request.removeAllListeners('readable').removeAllListeners('data').resume();
}

/** Closes a connection on which a body is still arriving. Closing with unread bytes resets the connection, and the client may
 *  never see the response. */
function closeSoon(socket: Socket, request: IncomingMessage): void {
  const timer = setTimeout(() => socket.destroy(), lingerMs);
  socket.once('close', () => clearTimeout(timer));
  discard(request).once('end', () => socket.destroy());
  socket.end();
}
