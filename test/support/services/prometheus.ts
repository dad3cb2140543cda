import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fetchDebianPackages, hasDebianPackages } from '../../../scripts/services/debian-packages.ts';
import { findFreePort } from '../../../scripts/services/ports.ts';
import { endWithThisProcess } from '../../../scripts/services/processes.ts';
import { CommandFailed, findExecutable, run } from '../../../scripts/services/run-command.ts';
import { track } from '../resources.ts';
import { waitUntil } from '../wait-until.ts';

const onPath = () => findExecutable(['promtool']);

/** Whether promtool is installed or can be downloaded. */
export const hasPromtool = (): boolean => onPath() !== undefined || hasDebianPackages();

/** Runs an installed promtool or Debian's; resolves to its exit code and output. */
export async function promtool(args: string[], input = ''): Promise<{ code: number | null; output: string }> {
  const command = onPath() ?? path.join(await fetchPrometheus(), 'usr/bin/promtool');
  try {
    return { code: 0, output: await run(command, args, { input }) };
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    return { code: error.code, output: error.message };
  }
}

/** Starts an installed Prometheus or Debian's, which reads the metrics of these base URLs once a second. `query` resolves to the number of
 *  series of a query; it rejects with the message of Prometheus. */
export async function startPrometheus(baseUrls: string[]) {
  const command = findExecutable(['prometheus']) ?? path.join(await fetchPrometheus(), 'usr/bin/prometheus');
  const folder = await mkdtemp(path.join(tmpdir(), 'linkmill-prometheus-'));
  const config = path.join(folder, 'prometheus.yml');
  const targets = baseUrls.map((url) => new URL(url).host);
  await writeFile(
    config,
    JSON.stringify({
      global: { scrape_interval: '1s' },
      scrape_configs: [{ job_name: 'linkmill', static_configs: [{ targets }] }],
    }),
  );
  const address = `127.0.0.1:${await findFreePort()}`;
  const child = spawn(
    command,
    [`--config.file=${config}`, `--storage.tsdb.path=${folder}/data`, `--web.listen-address=${address}`],
    { stdio: 'ignore' },
  );
  endWithThisProcess(child, 'SIGTERM');
  const closed = track('Prometheus');
  const ended = once(child, 'close');

  async function query(expression: string): Promise<number> {
    const url = `http://${address}/api/v1/query?${new URLSearchParams({ query: expression }).toString()}`;
    const answer = (await (await fetch(url)).json()) as { error?: string; data?: { result: unknown[] } };
    if (!answer.data) throw new Error(`${answer.error}: ${expression}`);
    return answer.data.result.length;
  }

  await waitUntil(
    'Prometheus has read all targets',
    async () => (await query('up == 1').catch(() => 0)) === targets.length,
  );
  return {
    query,
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
      await rm(folder, { recursive: true });
      closed();
    },
  };
}

async function fetchPrometheus(): Promise<string> {
  const isUsable = async (folder: string) =>
    await run(path.join(folder, 'usr/bin/promtool'), ['--version']).then(
      () => true,
      () => false,
    );
  return await fetchDebianPackages(['prometheus'], '.cache', { isUsable });
}
