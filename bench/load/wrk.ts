import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  debianLibraryPath,
  fetchDebianPackages,
  hasDebianPackages,
} from '../../scripts/services/debian-packages.ts';
import { findExecutable, run } from '../../scripts/services/run-command.ts';
import type { Load, LoadGenerator, LoadRequest, LoadResult } from './load.ts';

interface Wrk {
  file: string;
  env: NodeJS.ProcessEnv;
}

/** Finds the wrk of this machine, or fetches Debian's into .cache. Rejects if neither runs. */
export async function findWrk(): Promise<LoadGenerator> {
  const installed = findExecutable(['wrk']);
  const wrk = installed === undefined ? await fetchWrk() : { file: installed, env: process.env };
  const version = readVersion(wrk);
  if (version === undefined) throw new Error(`${wrk.file} does not print its version`);
  return { name: `wrk ${version}`, run: async (load) => await runWrk(wrk, load) };
}

async function fetchWrk(): Promise<Wrk> {
  if (!hasDebianPackages()) throw new Error('there is no wrk, and no apt-get to fetch it with');
  const ownCopy = (folder: string): Wrk => ({
    file: path.join(folder, 'usr/bin/wrk'),
    env: { ...process.env, LD_LIBRARY_PATH: debianLibraryPath(folder) },
  });
  const isUsable = async (folder: string) => readVersion(ownCopy(folder)) !== undefined;
  return ownCopy(await fetchDebianPackages(['wrk'], path.resolve('.cache'), { isUsable }));
}

function readVersion({ file, env }: Wrk): string | undefined {
  const { stdout } = spawnSync(file, ['-v'], { env, encoding: 'utf8' });
  return /^wrk (?:debian\/)?([\d.]+)/.exec(stdout)?.[1];
}

async function runWrk({ file, env }: Wrk, load: Load): Promise<LoadResult> {
  const folder = await mkdtemp(path.join(tmpdir(), 'linkmill-load-'));
  try {
    const requests = path.join(folder, 'requests');
    const { host } = new URL(load.baseUrl);
    await writeFile(requests, load.requests.map((request) => format(request, host)).join('\0'));
    const options = ['-t', '1', '-c', String(load.connections), '-d', `${load.seconds}s`, '--timeout', '10s'];
    const script = path.resolve('bench/load/requests.lua');
    const output = await run(file, [...options, '-s', script, load.baseUrl, '--', requests], { env });
    return JSON.parse(output.trimEnd().split('\n').at(-1)!) as LoadResult;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A raw HTTP request. */
function format({ method, path, headers = {}, body = '' }: LoadRequest, host: string): string {
  const length = body === '' ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
  const lines = Object.entries({ Host: host, ...headers, ...length }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  return `${method ?? 'GET'} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`;
}
