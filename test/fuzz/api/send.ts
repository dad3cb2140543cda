import { Agent, request as send } from 'node:http';

/** A request to send. */
export interface Request {
  method: string;
  /** The target in the request line, byte for byte. */
  target: string;
  headers: [name: string, value: string][];
  body: Buffer | undefined;
}

export interface Answer {
  status: number;
  headers: Record<string, string | undefined>;
  body: Buffer;
}

/** Time limit of an answer. */
const patienceMs = 20_000;

/** Sends requests to a web process over persistent connections. */
export function createSender(baseUrl: string, connections: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const { hostname: host, port } = new URL(baseUrl);
  return {
    /** Rejects without an answer, or with one that is not HTTP. */
    async send({ method, target, headers, body }: Request): Promise<Answer> {
      return await new Promise((resolve, reject) => {
        const options = { agent, host, port, method, path: target, timeout: patienceMs };
        const sent = send({ ...options, headers: headersFor(headers, body) }, (response) => {
          const chunks: Buffer[] = [];
          const settle = () =>
            resolve({
              status: response.statusCode!,
              headers: response.headers as Record<string, string | undefined>,
              body: Buffer.concat(chunks),
            });
          response.on('data', (chunk: Buffer) => {
            chunks.push(chunk);
            if (!response.headers['content-type']?.startsWith('text/event-stream')) return;
            // A stream does not end: only its first chunk is checked.
            settle();
            sent.destroy();
          });
          response.on('error', reject);
          response.on('end', settle);
        });
        sent.on('timeout', () => sent.destroy(new Error(`no answer within ${patienceMs} ms`)));
        sent.on('error', reject);
        sent.end(body);
      });
    },
    close: () => agent.destroy(),
  };
}

/** Node accepts lists for repeated headers, except for this one. */
function headersFor(headers: Request['headers'], body: Buffer | undefined) {
  const lists = new Map<string, string[]>();
  for (const [name, value] of headers) lists.set(name, (lists.get(name) ?? []).concat(value));
  const host = lists.get('host')?.at(-1);
  return {
    ...Object.fromEntries(lists),
    ...(host !== undefined && { host }),
    ...(body && { 'content-length': body.length }),
  };
}
