/** A separate process that sends pipelined requests on several connections until it is ended, and reopens closed
 *  connections. Settings: `TARGET` (host and port), `REQUEST` (its bytes), `CONNECTIONS`, `READS` (whether answers are
 *  read). */
import { connect } from 'node:net';

const { TARGET, REQUEST = '', CONNECTIONS = '10', READS } = process.env;
const { hostname, port } = new URL(`http://${TARGET}`);
const block = Buffer.from(REQUEST.repeat(Math.ceil(65_536 / REQUEST.length)));
const againMs = 10;

function open(): void {
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  socket.on('close', () => setTimeout(open, againMs));
  if (READS === 'true') socket.resume();
  const send = () => {
    while (!socket.destroyed && socket.write(block));
  };
  socket.on('drain', send);
  send();
}

for (let i = 0; i < Number(CONNECTIONS); i++) open();
