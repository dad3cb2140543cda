import { type Server, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Connections } from '../connections/connections.ts';
import { presentProblem, problemHeaders, Problem } from '../problems/problem.ts';
import { isUploading } from '../uploads/upload.ts';

/** How long a client may take to close its side after a rejected CONNECT. */
const lingerMs = 2_000;

/** Answers invalid and late HTTP requests with a problem, after the responses to earlier requests. Closes the connection, because
 *  the start of the next request is unknown. */
export function answerClientErrors(
  server: Server,
  connections: Pick<Connections, 'get'>,
  baseUrl: string | undefined,
): void {
  server.on('clientError', (error: ParserError, socket) => {
    // Uploads have their own time limit.
    if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && isUploading(socket)) return;
    const { request, response } = connections.get(socket as Socket) ?? {};
    const answer = () => {
      if (socket.writable)
        socket.end(toHttp(problemOfParser(error), { isHead: isHeadRequest(error), baseUrl }), () =>
          socket.destroy(),
        );
      else socket.destroy();
    };
    if (!request || !response) answer();
    // The request is answered, so the error is in its body.
    else if (response.writableFinished && !request.complete) socket.destroy();
    else if (response.writableFinished) answer();
    // The error is in the request after this one.
    else if (request.complete) response.once('finish', answer);
    else if (response.headersSent) socket.destroy();
    else answer();
  });
}

const connectNotAllowed = new Problem(
  'method-not-allowed',
  'CONNECT is not allowed: this service is not a proxy.',
  {
    headers: { Allow: 'GET, HEAD, POST' },
  },
);

/** Answers CONNECT with 405, after the responses to earlier requests, and closes the connection: further bytes are meant for
 *  another host. */
export function rejectConnect(
  server: Server,
  connections: Pick<Connections, 'get'>,
  baseUrl: string | undefined,
): void {
  server.on('connect', (_request, socket) => {
    // Node has removed its own error listener.
    socket.on('error', () => socket.destroy());
    // Unread bytes would reset the connection, and the client might never see the response.
    socket.resume();
    const answer = () => {
      socket.end(toHttp(connectNotAllowed, { isHead: false, baseUrl }));
      const timer = setTimeout(() => socket.destroy(), lingerMs);
      socket.once('close', () => clearTimeout(timer));
    };
    const { response } = connections.get(socket as Socket) ?? {};
    if (response === undefined || response.writableFinished) answer();
    else response.once('finish', answer);
  });
}

/** The error of Node's parser, and the packet that caused it. */
type ParserError = NodeJS.ErrnoException & { rawPacket?: Buffer };

/** Whether the packet begins with a HEAD request, whose response has no body. */
const isHeadRequest = ({ rawPacket }: ParserError) => rawPacket?.toString('latin1', 0, 5) === 'HEAD ';

/** Maps an error of Node's parser to a problem. */
function problemOfParser({ code, rawPacket }: ParserError): Problem {
  switch (code) {
    case 'HPE_INVALID_URL':
      return notEncoded;
    case 'HPE_INVALID_CONSTANT':
      return hasSpaceInTarget(rawPacket) ? notEncoded : notHttp;
    case 'HPE_HEADER_OVERFLOW':
      return new Problem('too-large', 'The request line and headers are too long.', { status: 431 });
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return new Problem('too-large', 'The chunk extensions are too long.');
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new Problem('bad-request', 'The request did not arrive in time.', { status: 408 });
    case undefined:
    default:
      return notHttp;
  }
}

const notHttp = new Problem('bad-request', 'The request is not valid HTTP.');
const notEncoded = new Problem(
  'bad-request',
  'The path or query contains characters that are not allowed in a URL. Percent-encode them as UTF-8: "ü" is %C3%BC, a space is %20.',
);

/** Whether the request line is valid except for a space in its target. */
const hasSpaceInTarget = (packet: Buffer | undefined) =>
  packet !== undefined &&
  /^[A-Z]{3,7} \/[^ \r\n]* [^\r\n]*HTTP\/1\.[01]\r?\n/.test(packet.toString('latin1'));

function toHttp(
  problem: Problem,
  { isHead, baseUrl }: { isHead: boolean; baseUrl: string | undefined },
): string {
  const body = JSON.stringify(presentProblem(problem, baseUrl));
  return [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
    'Connection: close',
    ...Object.entries({ ...problemHeaders, ...problem.headers }).map(([name, value]) => `${name}: ${value}`),
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    isHead ? '' : body,
  ].join('\r\n');
}
