import { passwordFileParam } from './password-file.ts';
import { readStoreUrl, rejectUnknownParams, type StoreUrl, StoreUrlError } from './store-url.ts';
import { readTls, type Tls, tlsParams } from './tls.ts';

export interface PostgresHost {
  /** A host name, an IP address, or the directory of a Unix socket. */
  host: string;
  port: number;
}

/** Addresses and login of PostgreSQL. */
export interface PostgresAddress {
  /** Of several, the one that accepts writes is used, or one that does not if `wantsStandby`. */
  hosts: PostgresHost[];
  wantsStandby: boolean;
  user: string | undefined;
  password: string | undefined;
  passwordFile: string | undefined;
  database: string | undefined;
  tls: Tls;
  /** Starts with the TLS handshake instead of requesting it, which saves a round trip. */
  startsWithTls: boolean;
  bindsChannel: boolean;
  /** Command-line options for the session, such as `-c work_mem=8MB`. */
  options: string | undefined;
}

const hints: Record<string, string> = {
  schema: 'has schema=, which belongs to Prisma: use options=-c%20search_path%3DNAME',
  pgbouncer: 'has pgbouncer=, which belongs to Prisma and is not needed: remove it',
  ssl: 'has ssl=, which belongs to other drivers: use sslmode=',
};
const read = [
  'host',
  'port',
  'user',
  'password',
  'dbname',
  ...tlsParams,
  'sslnegotiation',
  'options',
  'target_session_attrs',
];
/** Values of `target_session_attrs` for a database that accepts writes. */
const writable = new Set(['read-write', 'primary']);
/** Parameters that ORMs and hosting services add and that have no effect here. */
const harmless = [
  'application_name',
  'fallback_application_name',
  'channel_binding',
  'connect_timeout',
  'uselibpqcompat',
];

/** Parameter that Linkmill adds to a URL of standbys. */
const standbyParam = 'linkmill_standby';
/** Values of `target_session_attrs` in a URL of standbys. */
const readable = new Set(['any', 'standby', 'prefer-standby', 'read-only']);

/** The URL with the mark that its hosts are standbys. Throws a StoreUrlError if it asks for a primary. */
export function asStandbyUrl(text: string): string {
  const [address, query = ''] = text.split('?', 2) as [string, string?];
  const params = new URLSearchParams(query);
  if (!readable.has(params.get('target_session_attrs') ?? 'any'))
    throw new StoreUrlError('has a target_session_attrs that chooses a primary: use standby, or remove it');
  params.delete('target_session_attrs');
  params.set(standbyParam, 'true');
  return `${address}?${params.toString()}`;
}

/** Reads the URL of a PostgreSQL database, with the parameters of libpq. Throws a StoreUrlError. */
export function parsePostgresUrl(text: string): PostgresAddress {
  const schemes = ['postgres', 'postgresql'];
  const example = 'postgres://user:password@host:5432/linkmill';
  const url = readStoreUrl(text, { schemes, listSchemes: schemes, example });
  const { params } = url;
  for (const [name, hint] of Object.entries(hints)) if (params.has(name)) throw new StoreUrlError(hint);
  rejectUnknownParams(params, [...read, ...harmless, passwordFileParam, standbyParam]);
  const hosts = hostsOf(url);
  const isSocket = hosts.some(({ host }) => host.startsWith('/'));
  if (isSocket && hosts.length > 1)
    throw new StoreUrlError('has several hosts, one of them a Unix socket: only servers can be several');
  if (!writable.has(params.get('target_session_attrs') ?? 'read-write'))
    throw new StoreUrlError(
      'has a target_session_attrs that may choose a standby: use read-write, or remove it',
    );
  const tls = readTls(params, isSocket ? 'disable' : 'prefer');
  if (isSocket && !['disable', 'allow', 'prefer'].includes(tls.mode))
    throw new StoreUrlError(`has sslmode=${tls.mode}, but a Unix socket has no TLS`);
  return {
    hosts,
    wantsStandby: params.has(standbyParam),
    user: params.get('user') ?? url.user,
    password: params.get('password') ?? url.password,
    passwordFile: params.get(passwordFileParam),
    database: params.get('dbname') ?? (url.path.slice(1) || undefined),
    tls: isSocket ? { mode: 'disable', options: {} } : tls,
    startsWithTls: isDirect(params.get('sslnegotiation'), tls),
    bindsChannel: ['prefer', 'require'].includes(params.get('channel_binding') ?? ''),
    options: params.get('options'),
  };
}

/** The hosts of the parameters `host` and `port`, which may be lists, or of the URL. */
function hostsOf(url: StoreUrl): PostgresHost[] {
  const given = url.params.get('host')?.split(',') ?? url.hosts.map(({ host }) => host);
  const ports = url.params.get('port')?.split(',') ?? url.hosts.map(({ port }) => String(port ?? 5_432));
  if (given.some((host) => host === ''))
    throw new StoreUrlError('has no host; for a Unix socket add ?host=/var/run/postgresql');
  if (ports.length > 1 && ports.length !== given.length)
    throw new StoreUrlError('has another number of ports than of hosts');
  return given.map((host, i) => {
    const port = Number(ports[i] ?? ports[0]);
    if (!Number.isInteger(port) || port < 1 || port > 65_535)
      throw new StoreUrlError('must have a port from 1 to 65535');
    return { host, port };
  });
}

function isDirect(negotiation: string | undefined, { mode }: Tls): boolean {
  if (negotiation === undefined || negotiation === 'postgres') return false;
  if (negotiation !== 'direct')
    throw new StoreUrlError('has an invalid sslnegotiation: use postgres or direct');
  if (['disable', 'allow', 'prefer'].includes(mode))
    throw new StoreUrlError('has sslnegotiation=direct, which needs sslmode=require or stronger');
  return true;
}
