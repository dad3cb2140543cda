import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { chmod, copyFile, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { findFreePort } from '../../../scripts/services/ports.ts';
import { findServerUser } from '../../../scripts/services/postgres-user.ts';
import { type Postgres, startPostgres } from '../../../scripts/services/postgres.ts';
import { type Redis, startRedis } from '../../../scripts/services/redis.ts';
import { openPostgres } from '../../../src/storage/postgres/postgres.ts';
import { closeRedis, openRedis } from '../../../src/storage/redis/redis.ts';
import { placeWeb } from '../../support/processes/launch.ts';
import { startProcess } from '../../support/processes/processes.ts';
import { silentLog } from '../../support/resources.ts';
import { waitUntil } from '../../support/wait-until.ts';

const certificate = (name: string) =>
  fileURLToPath(new URL(`../../support/services/tls/${name}`, import.meta.url));
const ca = encodeURIComponent(certificate('ca.crt'));
const otherCa = encodeURIComponent(certificate('other-ca.crt'));
const client = `sslcert=${encodeURIComponent(certificate('client.crt'))}&sslkey=${encodeURIComponent(certificate('client.key'))}`;
const print = () => undefined;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(await realpath(tmpdir()), 'linkmill-tls-'));
  await chmod(folder, 0o755);
});
afterAll(async () => await rm(folder, { recursive: true, force: true }));

/** Resolves to whether the connection is encrypted, or to the code or message of its error. */
async function encryptionOf(url: string): Promise<boolean | string> {
  const db = openPostgres({ url, poolMax: 1, queryTimeoutMs: 5_000, name: 'tls' });
  try {
    const { rows } = await db.raw<{ rows: { ssl: boolean }[] }>(
      'select ssl from pg_stat_ssl where pid = pg_backend_pid()',
    );
    return rows[0]!.ssl;
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    return code ?? message;
  } finally {
    await db.destroy();
  }
}

describe('PostgreSQL with TLS', () => {
  let server: Postgres;
  let plain: Postgres;
  const url = (of: Postgres, params: string, host = '127.0.0.1') =>
    `${of.url.replace('127.0.0.1', host)}?${params}`;

  beforeAll(async () => {
    const user = await findServerUser(folder);
    const keyFile = path.join(folder, 'server.key');
    await copyFile(certificate('server.key'), keyFile);
    if (user) await promisify(execFile)('chown', [`${user.uid}:${user.gid}`, keyFile]);
    await chmod(keyFile, 0o600);
    for (const name of ['server.crt', 'ca.crt']) await copyFile(certificate(name), path.join(folder, name));
    const tls = [
      'ssl=on',
      `ssl_cert_file=${folder}/server.crt`,
      `ssl_key_file=${keyFile}`,
      `ssl_ca_file=${folder}/ca.crt`,
    ];
    server = await startPostgres({
      dataDir: path.join(folder, 'postgres'),
      flags: ['fsync=off', ...tls],
      print,
    });
    plain = await startPostgres({ dataDir: path.join(folder, 'plain'), flags: ['fsync=off'], print });
  });
  afterAll(async () => {
    await server?.stop();
    await plain?.stop();
  });

  test.each([
    ['', true],
    ['sslmode=disable', false],
    ['sslmode=allow', false],
    ['sslmode=prefer', true],
    ['sslmode=require', true],
    ['sslmode=require&sslnegotiation=postgres&channel_binding=require', true],
    [`sslmode=require&sslrootcert=${ca}`, true],
    [`sslmode=verify-ca&sslrootcert=${ca}`, true],
    [`sslmode=verify-full&sslrootcert=${ca}`, true],
    [`sslrootcert=${ca}&${client}`, true],
    [`sslmode=require&sslrootcert=${otherCa}`, expect.stringMatching(/SIGNATURE|CERT/)],
    [`sslmode=verify-ca&sslrootcert=${otherCa}`, expect.stringMatching(/SIGNATURE|CERT/)],
    ['sslmode=verify-full', expect.stringMatching(/SIGNATURE|CERT/)],
  ])('a connection with "%s" is encrypted, unencrypted or fails: %s', async (params, expected) => {
    expect(await encryptionOf(url(server, params))).toEqual(expected);
  });

  test('verify-ca accepts the certificate of another host, and verify-full rejects it', async () => {
    const admin = openPostgres({ url: server.url, poolMax: 1, queryTimeoutMs: 5_000, name: 'admin' });
    const use = async (name: string) => {
      // Overwrites the files in place, which keeps owner and mode.
      for (const end of ['crt', 'key'])
        await writeFile(path.join(folder, `server.${end}`), await readFile(certificate(`${name}.${end}`)));
      await admin.raw('select pg_reload_conf()');
    };
    const of = async (mode: string) => await encryptionOf(url(server, `sslmode=${mode}&sslrootcert=${ca}`));
    await use('elsewhere');
    await waitUntil(
      'verify-full rejects the certificate',
      async () => (await of('verify-full')) === 'ERR_TLS_CERT_ALTNAME_INVALID',
    );
    expect(await of('verify-ca')).toBe(true);
    await use('server');
    await waitUntil('verify-full accepts the certificate', async () => (await of('verify-full')) === true);
    await admin.destroy();
  });

  test.each([
    ['', false],
    ['sslmode=allow', false],
    ['sslmode=prefer', false],
    ['sslmode=require', 'The server does not support SSL connections'],
    [`sslmode=verify-full&sslrootcert=${ca}`, 'The server does not support SSL connections'],
  ])(
    'a connection to a server without TLS with "%s" is unencrypted or fails: %s',
    async (params, expected) => {
      expect(await encryptionOf(url(plain, params))).toEqual(expected);
    },
  );

  test('allow uses TLS and prefer uses no TLS when pg_hba.conf accepts nothing else', async () => {
    const admin = openPostgres({ url: server.url, poolMax: 1, queryTimeoutMs: 5_000, name: 'admin' });
    const { rows } = await admin.raw<{ rows: { file: string }[] }>(
      `select current_setting('hba_file') as file`,
    );
    const hba = (type: string) => `local all all scram-sha-256\n${type} all all 127.0.0.1/32 scram-sha-256\n`;
    const use = async (type: string) => {
      await writeFile(rows[0]!.file, hba(type));
      await admin.raw('select pg_reload_conf()');
      await waitUntil('PostgreSQL has loaded the file', async () => {
        const { rows: rules } = await admin.raw<{ rows: { type: string }[] }>(
          'select type from pg_hba_file_rules',
        );
        return rules.some((rule) => rule.type === type);
      });
    };
    await use('hostssl');
    await waitUntil(
      'allow uses TLS',
      async () => (await encryptionOf(url(server, 'sslmode=allow'))) === true,
    );
    expect(await encryptionOf(url(server, 'sslmode=disable'))).toBe('28000');
    await use('hostnossl');
    await waitUntil(
      'prefer uses no TLS',
      async () => (await encryptionOf(url(server, 'sslmode=prefer'))) === false,
    );
    expect(await encryptionOf(url(server, 'sslmode=require'))).toBe('28000');
    await admin.destroy();
  });
});

describe('Redis with TLS, a Unix socket and a limited number of databases', () => {
  let server: Redis;
  let tlsPort: number;
  let socket: string;

  beforeAll(async () => {
    tlsPort = await findFreePort();
    socket = path.join(folder, 'redis.sock');
    const tls = [
      '--tls-port',
      String(tlsPort),
      '--tls-cert-file',
      certificate('server.crt'),
      '--tls-key-file',
      certificate('server.key'),
    ];
    const args = [
      ...tls,
      '--tls-ca-cert-file',
      certificate('ca.crt'),
      '--databases',
      '4',
      '--unixsocket',
      socket,
    ];
    server = await startRedis({ dataDir: path.join(folder, 'redis'), args, print });
  });
  afterAll(async () => await server?.stop());

  /** Resolves to `PONG`, or to the message of the connection error. */
  async function answerOf(url: string): Promise<string> {
    const redis = openRedis('jobs', url, silentLog);
    let failure: Error | undefined;
    redis.on('error', (error: Error) => (failure ??= error));
    try {
      await waitUntil(
        'Redis is connected or has failed',
        () => redis.status === 'ready' || failure !== undefined,
      );
      return failure?.message ?? (await redis.ping());
    } finally {
      await closeRedis(redis);
    }
  }

  const withClient = () => `rediss://localhost:${tlsPort}?${client}`;

  test('rediss:// verifies the server certificate and sends the client certificate', async () => {
    expect(await answerOf(`${withClient()}&sslrootcert=${ca}`)).toBe('PONG');
    expect(await answerOf(`${withClient()}&sslmode=require`)).toBe('PONG');
    expect(await answerOf(`${withClient()}&sslrootcert=${otherCa}`)).toMatch(/certificate/);
    expect(await answerOf(withClient())).toMatch(/certificate/);
  });

  test('a missing Redis database is an error and never falls back to database 0', async () => {
    expect(await answerOf(`redis://127.0.0.1:${server.port}/3`)).toBe('PONG');
    expect(await answerOf(`redis://127.0.0.1:${server.port}/99`)).toMatch(/^Redis has no database 99:/);
    const redis = openRedis('jobs', `redis://127.0.0.1:${server.port}/99`, silentLog);
    void redis.set('lost', '1').catch(() => undefined);
    await once(redis, 'error');
    await once(redis, 'error');
    await closeRedis(redis);
    const other = openRedis('jobs', server.url, silentLog);
    expect(await other.exists('lost')).toBe(0);
    await closeRedis(other);
  });

  test('web and worker exit with the reason when the Redis database does not exist', async () => {
    const settings = {
      DATABASE_URL: inject('postgresUrl'),
      REDIS_URL: `redis://127.0.0.1:${server.port}/99`,
    };
    const web = startProcess('src/web.js', await placeWeb(settings));
    const worker = startProcess('workers/main.js', settings);
    for (const each of [web, worker]) {
      expect(await each.ended).toBe(1);
      expect(each.output()).toContain('Redis has no database 99');
    }
  });

  test('a unix:// URL connects to its socket and its database', async () => {
    const redis = openRedis('jobs', `unix://${socket}?db=2`, silentLog);
    await redis.set('key', 'in 2');
    await closeRedis(redis);
    const other = openRedis('jobs', `${server.url}/2`, silentLog);
    expect(await other.get('key')).toBe('in 2');
    await closeRedis(other);
  });
});
