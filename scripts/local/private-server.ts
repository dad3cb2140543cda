import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { isPortFree } from '../services/ports.ts';
import type { Running, createStack } from './stack.ts';

/** The address of a server for the stack: the given one, or that of a private server with its data in
 *  `<folder>/<name>`. A private server keeps its port between starts while the port is free. Its own address, given
 *  back with `. .local/env`, does not count as given. */
export async function ensureServer(
  title: string,
  given: string | undefined,
  start: (dataDir: string, port: number | undefined) => Promise<Running & { url: string }>,
  {
    folder,
    name,
    stack,
    print,
  }: {
    folder: string;
    name: string;
    stack: ReturnType<typeof createStack>;
    print: (line: string) => void;
  },
): Promise<string> {
  const dataDir = path.join(folder, name);
  const urlFile = path.join(folder, 'run', `${name}.url`);
  const lastUrl = existsSync(urlFile) ? readFileSync(urlFile, 'utf8') : '';
  if (given && given !== lastUrl) {
    print(`using the given ${title}`);
    return given;
  }
  print(`starting a private ${title} in ${path.relative(process.cwd(), dataDir)}`);
  const { url } = await stack.start(title, start(dataDir, await freePortOf(lastUrl)), `${dataDir}.log`);
  mkdirSync(path.dirname(urlFile), { recursive: true });
  writeFileSync(urlFile, url, { mode: 0o600 });
  return url;
}

async function freePortOf(url: string): Promise<number | undefined> {
  const port = url ? Number(new URL(url).port) : 0;
  return port > 0 && (await isPortFree(port)) ? port : undefined;
}
