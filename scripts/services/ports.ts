import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { commandOf, errorCode } from './processes.ts';
import { run } from './run-command.ts';

/** Both addresses of `localhost`. */
const localHosts = ['127.0.0.1', '::1'];

/** A TCP port of 127.0.0.1 without a listener. An outgoing connection cannot take it before a server listens, or while that is down: it is
 *  below their range on Linux and macOS. */
export async function findFreePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const port = randomInt(20_000, 32_000);
    if (await canListen('127.0.0.1', port)) return port;
  }
  throw new Error('no port of 127.0.0.1 between 20000 and 32000 is free');
}

/** Whether a server could listen on this port of 127.0.0.1 now. */
export async function isPortFree(port: number): Promise<boolean> {
  return canListen('127.0.0.1', port);
}

/** Throws an Error with the port, its process and a remedy if a process listens on the port at localhost. */
export async function checkPortFree(port: number): Promise<void> {
  for (const host of localHosts) {
    // Some systems allow a second listener beside one on all addresses; only a connection attempt finds that one.
    if (!(await answers(host, port)) && (await canListen(host, port))) continue;
    const holder = await findListener(port);
    const by = holder === undefined ? 'another program' : `process ${holder} (${commandOf(holder)})`;
    throw new Error(
      `port ${port} is in use by ${by}: stop that, or choose another port: PORT=${port + 1} npm run local`,
    );
  }
}

async function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    const end = (answered: boolean) => {
      socket.destroy();
      resolve(answered);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
    socket.setTimeout(1_000, () => end(false));
  });
}

async function canListen(host: string, port: number): Promise<boolean> {
  const server = createServer().listen(port, host);
  try {
    await once(server, 'listening');
    server.close();
    await once(server, 'close');
    return true;
  } catch (error) {
    if (errorCode(error) === 'EADDRINUSE') return false;
    // A machine without IPv6 has no ::1.
    if (host === '::1') return true;
    throw error;
  }
}

/** The process that listens on a port, if this user may see it. */
async function findListener(port: number): Promise<number | undefined> {
  if (process.platform === 'linux') return findListenerOnLinux(port);
  const found = await run('lsof', ['-nP', '-t', `-iTCP:${port}`, '-sTCP:LISTEN']).catch(() => '');
  return Number.parseInt(found, 10) || undefined;
}

function findListenerOnLinux(port: number): number | undefined {
  const sockets = new Set(
    ['/proc/net/tcp', '/proc/net/tcp6']
      .flatMap((file) => orNothing(() => readFileSync(file, 'utf8').split('\n').slice(1)))
      .map((line) => line.trim().split(/\s+/))
      .filter(
        ([, local, , state]) => state === '0A' && Number.parseInt(local?.split(':')[1] ?? '', 16) === port,
      )
      .map((fields) => `socket:[${fields[9]}]`),
  );
  const pids = readdirSync('/proc').map(Number).filter(Boolean);
  return pids.find((pid) =>
    // The files of other users' processes are not readable.
    orNothing(() => readdirSync(`/proc/${pid}/fd`)).some((fd) =>
      orNothing(() => [readlinkSync(`/proc/${pid}/fd/${fd}`)]).some((target) => sockets.has(target)),
    ),
  );
}

function orNothing<T>(list: () => T[]): T[] {
  try {
    return list();
  } catch {
    return [];
  }
}
