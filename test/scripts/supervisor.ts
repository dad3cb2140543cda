import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { z } from 'zod';

const services = new URL('../../scripts/services/', import.meta.url).href;

/** Runs code that starts a `server` in a separate process (`services` is the URL of scripts/services/); returns the
 *  server's address and pid, and kills the process with SIGKILL. */
export async function startUnderKilledSupervisor(code: string): Promise<{ url: string; pid: number }> {
  const program = `
    const services = ${JSON.stringify(services)};
    ${code}
    console.log(JSON.stringify({ url: server.url, pid: server.pid }));`;
  const supervisor = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(supervisor, 'exit');
  let output = '';
  for await (const text of supervisor.stdout.setEncoding('utf8')) {
    output += text;
    if (output.endsWith('\n')) supervisor.kill('SIGKILL');
  }
  await exited;
  return z.object({ url: z.string(), pid: z.number() }).parse(JSON.parse(output));
}
