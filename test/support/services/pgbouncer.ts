import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { debianLibraryPath, fetchDebianPackages } from '../../../scripts/services/debian-packages.ts';
import { findFreePort } from '../../../scripts/services/ports.ts';
import { findServerUser } from '../../../scripts/services/postgres-user.ts';
import { endWithThisProcess } from '../../../scripts/services/processes.ts';
import { track } from '../resources.ts';
import { waitUntil } from '../wait-until.ts';

/** Starts Debian's PgBouncer in transaction mode for a database, with `poolSize` connections to it. */
export async function startPgBouncer(databaseUrl: string, { poolSize = 20 } = {}) {
  const packages = await fetchDebianPackages(['pgbouncer'], '.cache');
  const folder = await mkdtemp(path.join(tmpdir(), 'linkmill-pgbouncer-'));
  await chmod(folder, 0o777);
  const port = await findFreePort();
  const { hostname, port: serverPort, pathname, username, password } = new URL(databaseUrl);
  const file = path.join(folder, 'pgbouncer.ini');
  await writeFile(
    file,
    `[databases]
${pathname.slice(1)} = host=${hostname} port=${serverPort} user=${username} password=${password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = ${poolSize}
max_client_conn = 200
`,
  );
  const child = spawn(path.join(packages, 'usr/sbin/pgbouncer'), [file], {
    // It does not run as root.
    ...(await findServerUser(folder)),
    env: { LD_LIBRARY_PATH: debianLibraryPath(packages) },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  endWithThisProcess(child, 'SIGTERM');
  const closed = track('PgBouncer');
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  const ended = once(child, 'close');
  await waitUntil('PgBouncer listens', async () => await accepts(port)).catch((error: unknown) => {
    throw new Error(output, { cause: error });
  });
  const url = new URL(databaseUrl);
  url.port = String(port);
  return {
    url: url.href,
    stop: async () => {
      child.kill('SIGTERM');
      child.kill('SIGINT');
      await ended;
      await rm(folder, { recursive: true });
      closed();
    },
  };
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const [event] = await Promise.race([
    once(socket, 'connect').then(() => ['connect']),
    once(socket, 'close').then(() => ['close']),
  ]).catch(() => ['error']);
  socket.destroy();
  return event === 'connect';
}
