import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { CircuitOpen } from '../../../src/resilience/circuit-breaker.ts';
import {
  describeFailure,
  isPostgresUnavailable,
  isReadOnly,
  isRejectedData,
  isStatementFailure,
} from '../../../src/storage/postgres/errors.ts';
import { openPostgres } from '../../../src/storage/postgres/postgres.ts';

const failure = (code: string) => Object.assign(new Error('a message in any language'), { code });

test.each([
  '0A000',
  '25006',
  '28000',
  '28P01',
  '3D000',
  '40001',
  '40P01',
  '42501',
  '42601',
  '42703',
  '42P01',
  '53100',
  '53300',
  '54000',
  '55P03',
  '57014',
  '57P01',
  '57P02',
  '57P03',
  '57P05',
  '58030',
  '08006',
  '08P01',
  'XX000',
  'F0000',
  '99999',
])('SQLSTATE %s means that PostgreSQL cannot answer now', (code) => {
  expect(isPostgresUnavailable(failure(code))).toBe(true);
  expect(isRejectedData(failure(code))).toBe(false);
});

test.each(['22001', '22003', '22P02', '23502', '23503', '23505', '23514', '44000', 'P0001'])(
  'SQLSTATE %s is an answer to the request',
  (code) => {
    expect(isPostgresUnavailable(failure(code))).toBe(false);
    expect(isStatementFailure(failure(code))).toBe(false);
  },
);

test.each(['42501', '42P01', '25006', '53100', '57014', 'XX000'])(
  'SQLSTATE %s concerns one statement: others may succeed',
  (code) => {
    expect(isStatementFailure(failure(code))).toBe(true);
  },
);

test.each(['28P01', '3D000', '53300', '57P01', '08006', 'ECONNREFUSED', 'EPIPE'])(
  'error %s concerns every statement',
  (code) => {
    expect(isPostgresUnavailable(failure(code))).toBe(true);
    expect(isStatementFailure(failure(code))).toBe(false);
  },
);

test('an error of another origin does not mean that PostgreSQL is unavailable', () => {
  for (const error of [
    new Error('a bug'),
    new TypeError('a bug'),
    failure('ENOENT'),
    failure('EPERM'),
    'text',
  ])
    expect(isPostgresUnavailable(error)).toBe(false);
});

test('a call behind a circuit that opened on a read-only server is read-only too', () => {
  const cause = failure('25006');
  expect(isReadOnly(new CircuitOpen('PostgreSQL', 'circuit is open', { cause }))).toBe(true);
  expect(isReadOnly(failure('42501'))).toBe(false);
});

test('the description of a failure has the kind and the code, but not the message', () => {
  const error = Object.assign(new Error('password authentication failed for user "secret"'), {
    code: '28P01',
  });
  expect(describeFailure(error)).toBe(
    'PostgreSQL rejects the login: check the password, the role and pg_hba.conf (28P01).',
  );
  expect(describeFailure(new Error('host secret'))).toBe('PostgreSQL cannot be used.');
});

describe('a server that is not PostgreSQL', () => {
  test.each([
    ['HTTP', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
    ['a TLS alert', '\x15\x03\x01\x00\x02\x02\x46'],
    ['an unknown kind of authentication', 'R\x00\x00\x00\x08\x00\x00\x00\x63'],
    ['an error without SQLSTATE', 'E\x00\x00\x00\x0fSFATAL\0Mno\0\0'],
    ['an error that blames the input', 'E\x00\x00\x00\x10SFATAL\0C22023\0\0'],
    ['nothing, and ends', ''],
  ])('is unavailable when it answers with %s', async (_what, answer) => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.end(answer, 'latin1'));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const url = `postgres://unknown:secret@127.0.0.1:${port}/nothing`;
    const db = openPostgres({ url, poolMax: 1, queryTimeoutMs: 500, name: 'test' });
    const error: unknown = await db.raw('select 1').catch((reason: unknown) => reason);
    expect(isPostgresUnavailable(error)).toBe(true);
    expect(isStatementFailure(error)).toBe(false);
    await db.destroy();
    server.close();
  });
});
