import { type Server, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Connections } from '../connections/connections.ts';
import { presentProblem, problemHeaders, Problem } from '../problems/problem.ts';
import { isUploading } from '../uploads/upload.ts';

/** How long a client may take to close its side of a refused tunnel. */
const lingerMs = 2_000;

/** Answers what comes over a connection and is no request of HTTP, or no whole one within its time, with a problem, and closes
 *  the connection: where the next request would begin is not known. Answers to requests before it are not disturbed. */
export function answerUnreadable(server: Server, connections: Pick<Connections, 'get'>): void {
  server.on('clientError', (error: ParserError, socket) => {
    // Who sends a file may take long for it.
    if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && isUploading(socket)) return;
    const { request, response } = connections.get(socket as Socket) ?? {};
    const answer = () => {
      if (socket.writable)
        socket.end(asHttp(problemOfParser(error), isOfHead(error)), () => socket.destroy());
      else socket.destroy();
    };
    if (!request || !response) answer();
    // Of a request that is answered no more than its body can be wrong.
    else if (response.writableFinished && !request.complete) socket.destroy();
    else if (response.writableFinished) answer();
    // What cannot be read comes after a request that could.
    else if (request.complete) response.once('finish', answer);
    else if (response.headersSent) socket.destroy();
    else answer();
  });
}

const noTunnel = new Problem('method-not-allowed', 'The service is not a proxy: CONNECT is not allowed.', {
  headers: { Allow: 'GET, HEAD, POST' },
});

/** Answers CONNECT with 405 after the requests before it on its connection, and closes the connection: what follows is meant for
 *  another host. */
export function refuseTunnels(server: Server, connections: Pick<Connections, 'get'>): void {
  server.on('connect', (_request, socket) => {
    // Node has removed its own listeners.
    socket.on('error', () => socket.destroy());
    // Bytes that nobody reads would reset the connection, and the client may never see the answer.
    socket.resume();
    const answer = () => {
      socket.end(asHttp(noTunnel, false));
      const timer = setTimeout(() => socket.destroy(), lingerMs);
      socket.once('close', () => clearTimeout(timer));
    };
    const { response } = connections.get(socket as Socket) ?? {};
    if (response === undefined || response.writableFinished) answer();
    else response.once('finish', answer);
  });
}

/** What Node's parser gives up with, and what it was reading. */
type ParserError = NodeJS.ErrnoException & { rawPacket?: Buffer };

/** Whether it gave up within the first of a HEAD's bytes, whose answer has no body. */
const isOfHead = ({ rawPacket }: ParserError) => rawPacket?.toString('latin1', 0, 5) === 'HEAD ';

/** Which problem it is when Node's parser gives up. */
function problemOfParser({ code, rawPacket }: ParserError): Problem {
  switch (code) {
    case 'HPE_INVALID_URL':
      return notEncoded;
    case 'HPE_INVALID_CONSTANT':
      return hasSpaceInTarget(rawPacket) ? notEncoded : notHttp;
    case 'HPE_HEADER_OVERFLOW':
      return new Problem('too-large', 'The request line and the headers are too long.', { status: 431 });
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return new Problem('too-large', 'The extensions of a chunk are too long.');
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new Problem('bad-request', 'The request did not arrive in time.', { status: 408 });
    case undefined:
    default:
      return notHttp;
  }
}

const notHttp = new Problem('bad-request', 'This is not HTTP.');
const notEncoded = new Problem(
  'bad-request',
  'The path or the query has characters that a URL cannot have. Percent-encode them as UTF-8: "ü" is %C3%BC, a space is %20.',
);

/** Whether the first line is a request but for a space in its target. */
const hasSpaceInTarget = (packet: Buffer | undefined) =>
  packet !== undefined &&
  /^[A-Z]{3,7} \/[^ \r\n]* [^\r\n]*HTTP\/1\.[01]\r?\n/.test(packet.toString('latin1'));

function asHttp(problem: Problem, isHead: boolean): string {
  const body = JSON.stringify(presentProblem(problem));
  return [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
    'Connection: close',
    ...Object.entries({ ...problemHeaders, ...problem.headers }).map(([name, value]) => `${name}: ${value}`),
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    isHead ? '' : body,
  ].join('\r\n');
}
