import { existsSync, readFileSync, writeFileSync } from 'node:fs';

/** What another process needs to use the stack, by the names of the settings. */
export interface LocalEnv {
  BASE_URL: string;
  API_KEY: string;
  DATABASE_URL: string;
  REDIS_URL: string;
  BULL_BOARD_USER: string;
  BULL_BOARD_PASSWORD: string;
}

/** The values of an env file; empty if it does not exist. */
export function readEnvFile(file: string): Partial<LocalEnv> {
  if (!existsSync(file)) return {};
  const entries = [...readFileSync(file, 'utf8').matchAll(/^(\w+)=(.*)$/gm)];
  return Object.fromEntries(entries.map(([, name, value]) => [name, unquote(value ?? '')]));
}

/** Writes `NAME=value` lines for `set -a; . file`; only the owner can read the file. */
export function writeEnvFile(file: string, env: LocalEnv): void {
  const lines = Object.entries(env).map(([name, value]) => `${name}=${quote(String(value))}\n`);
  writeFileSync(file, lines.join(''), { mode: 0o600 });
}

function quote(value: string): string {
  return /^[\w.,:/@%+=-]*$/.test(value) ? value : `'${value.replaceAll("'", String.raw`'\''`)}'`;
}

function unquote(value: string): string {
  return value.startsWith("'") ? value.slice(1, -1).replaceAll(String.raw`'\''`, "'") : value;
}
