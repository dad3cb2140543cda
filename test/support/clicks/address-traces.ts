import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import ipaddr from 'ipaddr.js';
import type { Knex } from '../../../src/storage/postgres/postgres.ts';

/** Returns all forms in which an address or its network could be stored. */
export function tracesOf(address: string): { trace: string; bytes: Buffer }[] {
  const parsed = ipaddr.parse(address);
  const packed = Buffer.from(parsed.toByteArray());
  const significant = packed.length === 4 ? packed : packed.subarray(0, 8);
  const texts = [address, parsed.toNormalizedString(), significant.toString('hex')];
  if (parsed instanceof ipaddr.IPv6) {
    const network = parsed.parts.slice(0, 4);
    texts.push(network.map((part) => part.toString(16)).join(':'), network.join(':'));
  } else {
    texts.push(String(packed.readUInt32BE()), String(packed.readInt32BE()));
    texts.push(address.split('.').toReversed().join('.'), encodeURIComponent(address));
  }
  const base64 = packed.toString('base64').replaceAll('=', '').slice(0, -1);
  return [
    ...[...new Set(texts)].map((text) => ({ trace: text, bytes: Buffer.from(text) })),
    { trace: `base64 ${base64}`, bytes: Buffer.from(base64) },
    { trace: 'packed', bytes: significant },
  ];
}

/** Finds traces of addresses in the content; texts are compared case-insensitively. */
export function findTraces(content: Buffer, addresses: string[]): string[] {
  const lower = Buffer.from(content.toString('latin1').toLowerCase(), 'latin1');
  return addresses.flatMap((address) =>
    tracesOf(address)
      .filter(({ trace, bytes }) =>
        trace === 'packed' || trace.startsWith('base64') ? content.includes(bytes) : lower.includes(bytes),
      )
      .map(({ trace }) => `${address} as ${trace}`),
  );
}

/** Reads all rows of all tables as text, binary values as hexadecimal. */
export async function readAllTables(db: Knex): Promise<Map<string, string>> {
  const { rows: tables } = await db.raw<{ rows: { name: string }[] }>(
    `select quote_ident(schemaname) || '.' || quote_ident(tablename) as name from pg_tables
     where schemaname not in ('pg_catalog', 'information_schema')`,
  );
  const contents = new Map<string, string>();
  for (const { name } of tables) {
    const { rows } = await db.raw<{ rows: { row: string }[] }>(`select t::text as row from ${name} as t`);
    contents.set(name, rows.map(({ row }) => row).join('\n'));
  }
  return contents;
}

/** Reads all files below a folder. */
export async function readAllFiles(folder: string): Promise<Map<string, Buffer>> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  const contents = files
    .filter((file) => file.isFile())
    .map((file) => path.join(file.parentPath, file.name))
    .map(async (name) => [name, await readFile(name)] as const);
  return new Map(await Promise.all(contents));
}
