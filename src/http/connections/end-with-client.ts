import type { Socket } from 'node:net';
import type { PassThrough } from 'node:stream';

/** Ends a stream when its client closes the sending side, which looks the same as a disconnect until data is written. */
export function endWithClient(socket: Socket, body: PassThrough): void {
  const end = () => void body.end();
  if (socket.readableEnded) end();
  else socket.once('end', end);
}
