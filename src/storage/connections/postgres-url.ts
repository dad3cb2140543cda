import { passwordFileParam } from './password-file.ts';
import { readStoreUrl, rejectUnknownParams, StoreUrlError } from './store-url.ts';
import { readTls, type Tls, tlsParams } from './tls.ts';

/** Address and login of PostgreSQL. */
export interface PostgresAddress {
  /** A host name, an IP address, or the directory of a Unix socket. */
  host: string;
  port: number;
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
  target_session_attrs:
    'has target_session_attrs=, which needs several hosts: set the host of the primary only',
};
const read = ['host', 'port', 'user', 'password', 'dbname', ...tlsParams, 'sslnegotiation', 'options'];
/** Parameters that ORMs and hosting services add and that have no effect here. */
const harmless = [
  'application_name',
  'fallback_application_name',
  'channel_binding',
  'connect_timeout',
  'uselibpqcompat',
];

/** Reads the URL of a PostgreSQL database, with the parameters of libpq. Throws a StoreUrlError. */
export function parsePostgresUrl(text: string): PostgresAddress {
  const url = readStoreUrl(text, ['postgres', 'postgresql'], 'postgres://user:password@host:5432/linkmill');
  const { params } = url;
  for (const [name, hint] of Object.entries(hints)) if (params.has(name)) throw new StoreUrlError(hint);
  rejectUnknownParams(params, [...read, ...harmless, passwordFileParam]);
  const host = params.get('host') ?? url.host;
  if (host === '') throw new StoreUrlError('has no host; for a Unix socket add ?host=/var/run/postgresql');
  const isSocket = host.startsWith('/');
  const port = Number(params.get('port') ?? url.port ?? 5_432);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new StoreUrlError('must have a port from 1 to 65535');
  const tls = readTls(params, isSocket ? 'disable' : 'prefer');
  if (isSocket && !['disable', 'allow', 'prefer'].includes(tls.mode))
    throw new StoreUrlError(`has sslmode=${tls.mode}, but a Unix socket has no TLS`);
  return {
    host,
    port,
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

function isDirect(negotiation: string | undefined, { mode }: Tls): boolean {
  if (negotiation === undefined || negotiation === 'postgres') return false;
  if (negotiation !== 'direct')
    throw new StoreUrlError('has an invalid sslnegotiation: use postgres or direct');
  if (['disable', 'allow', 'prefer'].includes(mode))
    throw new StoreUrlError('has sslnegotiation=direct, which needs sslmode=require or stronger');
  return true;
}
