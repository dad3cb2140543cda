import { createServer, type Socket } from 'node:net';
import { track } from '../resources.ts';

/** A message of the PostgreSQL protocol. */
export function message(type: string, ...parts: (number | string)[]): Buffer {
  const body = Buffer.concat(
    parts.map((part) => {
      if (typeof part === 'string') return Buffer.from(part, 'latin1');
      const number = Buffer.alloc(4);
      number.writeInt32BE(part);
      return number;
    }),
  );
  const head = Buffer.alloc(5);
  head.write(type, 0, 'latin1');
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

/** The response of a server to the start of a session; undefined closes the connection. */
export const logins: Readonly<Record<string, Buffer | undefined>> = {
  GSSAPI: message('R', 7),
  SSPI: message('R', 9),
  'an unknown method': message('R', 99),
  'SASL without SCRAM-SHA-256': message('R', 10, 'OAUTHBEARER\0\0'),
  'a closed connection': undefined,
  'what is no protocol': Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'),
};

/** Starts a PostgreSQL server without TLS that rejects all logins. */
export async function startRefusingPostgres(answer: Buffer | undefined) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (chunk: Buffer) => {
      // The TLS request comes first.
      const asksForTls = chunk.length === 8 && chunk.readInt32BE(4) === 80_877_103;
      if (asksForTls) socket.write('N');
      else if (answer === undefined) socket.destroy();
      else socket.write(answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const closed = track('PostgreSQL server without logins');
  const { port } = server.address() as { port: number };
  return {
    url: `postgres://linkmill:secret@127.0.0.1:${port}/linkmill`,
    /** The number of open connections. */
    open: () => sockets.size,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      closed();
    },
  };
}
