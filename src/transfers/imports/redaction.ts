import { isIP } from 'node:net';
import { isSqlNull, names, plainName } from '../formats/format.ts';
import { isNo } from '../rows/values.ts';

/** Columns with the address of a creator or visitor. */
const addressColumns: ReadonlySet<string> = new Set(
  names(`ip ipaddress ipaddr ipv4 ipv6 remoteip remoteaddress remoteaddr clientip useripaddress userip visitorip
    creatorip createdip useragent`),
);

/** Columns with passwords, password hashes, or keys of protected links. */
const secretColumns: ReadonlySet<string> = new Set(['password', 'passwordhash', 'secretkey', 'passphrase']);

/** Whether a column contains addresses: its values are not stored. */
export const isAddressColumn = (column: string) => addressColumns.has(plainName(column));

/** Whether a column contains secrets: only the presence of a value is stored. */
export const isSecretColumn = (column: string) => secretColumns.has(plainName(column));

/** What the columns with these names contain; the rows of a file repeat the same names. */
const kinds = new Map<string, 'address' | 'secret' | 'other'>();
const maxKinds = 1_000;

function kindOf(column: string) {
  let kind = kinds.get(column);
  if (kind) return kind;
  kind = isAddressColumn(column) ? 'address' : isSecretColumn(column) ? 'secret' : 'other';
  if (kinds.size >= maxKinds) kinds.clear();
  kinds.set(column, kind);
  return kind;
}

/** Redacts a value of a column. */
export function redact<T>(column: string, value: T): T | 'true' | undefined {
  const kind = kindOf(column);
  if (kind === 'address') return undefined;
  return kind === 'secret' && isPresent(value) ? 'true' : value;
}

const isPresent = (value: unknown) =>
  value !== null && value !== '' && !isNo(value) && !(typeof value === 'string' && isSqlNull(value));

/** Redacts a cell that is an IP address: the cells of a failed row may belong to other columns than their names say. */
export const redactCell = (text: string) =>
  isIP(text.trim().replace(/^\[|\](?::\d+)?$|%.*$/g, '')) === 0 ? text : 'redacted: an address';
