import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** What is read and discarded of a body that its handler has not read, before the answer is sent. */
const drainBytes = 256 * 1024;
const drainMs = 1_000;
/** How long a connection is still read after its last answer: closed at once, it would take that answer with it. */
const lingerMs = 2_000;

/** Answers as `handle` does, and reads bodies that it does not: the next request on the connection comes behind them. A body that is
 *  too long or too slow for that makes the answer say `Connection: close`. */
export function withBodiesRead(handle: RequestListener): RequestListener {
  return (request, response) => {
    if (!hasBody(request)) handle(request, response);
    // A short body is there a moment later, as a rule.
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
    closeWhereUnread(request, response);
    drainBeforeEnd(request, response, isAwaited);
    socket.destroySoon = () => closeSoon(socket, request);
    response.once('finish', () => delete (socket as Partial<Socket>).destroySoon);
  }
  handle(request, response);
}

const awaitsContinue = ({ headers, httpVersion }: IncomingMessage) =>
  headers.expect !== undefined && httpVersion === '1.1';

/** Sends 100 Continue to a client that waits for it, when its body begins to be read. Returns whether it was sent. */
function continueOnRead(request: IncomingMessage, response: ServerResponse): () => boolean {
  const read = request._read.bind(request);
  let isTold = false;
  request._read = (size) => {
    request._read = read;
    if (!response.headersSent) {
      isTold = true;
      response.writeContinue();
    }
    read(size);
  };
  return () => isTold;
}

/** Every way to send headers goes through writeHead. */
function closeWhereUnread(request: IncomingMessage, response: ServerResponse): void {
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

/** Reads and discards the rest of a body, and calls `onEnd` once: when it is read, or too much or too late, or has broken off. */
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

/** Has a body flow past those that read it until now. */
function discard(request: IncomingMessage): IncomingMessage {
  return request.removeAllListeners('readable').removeAllListeners('data').resume();
}

/** Closes a connection on which a body still comes: what is closed with bytes unread resets the connection, and the client may
 *  never see the answer. */
function closeSoon(socket: Socket, request: IncomingMessage): void {
  const timer = setTimeout(() => socket.destroy(), lingerMs);
  socket.once('close', () => clearTimeout(timer));
  discard(request).once('end', () => socket.destroy());
  socket.end();
}
