import { isIP } from 'node:net';
import { isSqlNull, names, plainName } from '../formats/format.ts';
import { isNo } from '../rows/values.ts';

/** Columns in which services keep from where a short URL was created. */
const addressColumns: ReadonlySet<string> = new Set(
  names(`ip ipaddress ipaddr ipv4 ipv6 remoteip remoteaddress remoteaddr clientip useripaddress userip visitorip
    creatorip createdip useragent`),
);

/** Columns in which services keep passwords, their hashes, and keys that open short URLs. */
const secretColumns: ReadonlySet<string> = new Set(['password', 'passwordhash', 'secretkey', 'passphrase']);

/** Whether a column has addresses of people: none of its values is stored. */
export const isOfAddresses = (column: string) => addressColumns.has(plainName(column));

/** Whether a column has secrets: of its values only is stored whether there is one. */
export const isOfSecrets = (column: string) => secretColumns.has(plainName(column));

/** A value of a column without what must not be stored. */
export function redact<T>(column: string, value: T): T | 'true' | undefined {
  if (isOfAddresses(column)) return undefined;
  return isOfSecrets(column) && isThere(value) ? 'true' : value;
}

const isThere = (value: unknown) =>
  value !== null && value !== '' && !isNo(value) && !(typeof value === 'string' && isSqlNull(value));

/** A text, or what stands for an address: in a row that was not imported, cells may stand in other columns than the names say. */
export const withoutAddress = (text: string) =>
  isIP(text.trim().replace(/^\[|\](?::\d+)?$|%.*$/g, '')) === 0 ? text : 'left out: an address';
