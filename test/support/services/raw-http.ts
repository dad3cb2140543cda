import { connect } from 'node:net';
import { readSlowness } from '../processes/slowness.ts';

/** A raw HTTP response. */
export interface RawAnswer {
  status: number;
  /** By lower case name. */
  headers: Record<string, string>;
  body: string;
}

export interface RawExchange {
  answers: RawAnswer[];
  /** The received bytes as Latin-1. */
  received: string;
  /** Whether the server closed the connection. */
  isClosed: boolean;
}

/** Sends bytes over a new connection and resolves when the expected number of responses has arrived or the server has closed the
 *  connection. With `ends` it half-closes the connection after the bytes. Rejects when neither happens within `patienceMs`, which grow
 *  with `readSlowness`. */
export async function sendRaw(
  baseUrl: string,
  bytes: string | Buffer,
  options: { answers?: number; ends?: boolean; patienceMs?: number } = {},
): Promise<RawExchange> {
  const { answers: wanted = Infinity, ends = false, patienceMs = 8_000 } = options;
  const limitMs = patienceMs * readSlowness();
  const { hostname, port } = new URL(baseUrl);
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  let received = '';
  try {
    return await new Promise<RawExchange>((resolve, reject) => {
      const timer = setTimeout(
        () =>
          reject(new Error(`neither answered nor closed after ${limitMs} ms: ${JSON.stringify(received)}`)),
        limitMs,
      );
      const finish = (isClosed: boolean) => {
        clearTimeout(timer);
        resolve({ answers: parseAnswers(received), received, isClosed });
      };
      socket.on('data', (data: Buffer) => {
        received += data.toString('latin1');
        if (parseAnswers(received).length >= wanted) finish(false);
      });
      // A reset counts as a close.
      socket.on('error', () => finish(true));
      socket.on('end', () => finish(true));
      socket.write(bytes);
      if (ends) socket.end();
    });
  } finally {
    socket.destroy();
  }
}

const noChunks = '0\r\n\r\n';

/** The complete responses at the beginning of a text. */
function parseAnswers(text: string): RawAnswer[] {
  const answers: RawAnswer[] = [];
  let rest = text;
  for (;;) {
    const headEnd = rest.indexOf('\r\n\r\n');
    if (headEnd === -1) return answers;
    const [statusLine = '', ...lines] = rest.slice(0, headEnd).split('\r\n');
    const headers = Object.fromEntries(
      lines.map((line) => [line.split(':', 1)[0]!.toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
    );
    const bodyBegin = headEnd + 4;
    // Only empty chunked bodies are supported.
    const isChunked = headers['transfer-encoding'] === 'chunked';
    const length = isChunked ? noChunks.length : Number(headers['content-length'] ?? 0);
    const body = rest.slice(bodyBegin, bodyBegin + length);
    if (body.length < length) return answers;
    answers.push({ status: Number(statusLine.split(' ')[1]), headers, body: isChunked ? '' : body });
    rest = rest.slice(bodyBegin + length);
  }
}
