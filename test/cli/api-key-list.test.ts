import { expect, test } from 'vitest';
import type { StoredApiKey } from '../../src/api-keys/api-key.ts';
import { formatTable } from '../../src/cli/api-key-list.ts';

const at = new Date('2026-01-02T03:04:05.678Z');
const key = (id: number, name: string, more: Partial<StoredApiKey> = {}) =>
  ({
    id,
    name,
    publicPart: 'a1b2c3d4e5f6',
    scopes: ['admin'],
    ownUrlsOnly: false,
    createdAt: at,
    lastUsedAt: null,
    expiresAt: null,
    revokedAt: null,
    ...more,
  }) as StoredApiKey;

test('API keys are listed with headings in aligned columns', () => {
  const table = formatTable([
    key(1, 'a'),
    key(12_345, 'Büro 🏢', { scopes: ['urls:read'], ownUrlsOnly: true, lastUsedAt: at, revokedAt: at }),
  ]);
  expect(table.split('\n')).toEqual([
    'ID     NAME    KEY                SCOPES                     CREATED                   LAST USED                 STATE',
    '1      a       lm_a1b2c3d4e5f6_…  admin                      2026-01-02T03:04:05.678Z  never                     valid',
    '12345  Büro 🏢  lm_a1b2c3d4e5f6_…  urls:read (own URLs only)  2026-01-02T03:04:05.678Z  2026-01-02T03:04:05.678Z  revoked 2026-01-02T03:04:05.678Z',
  ]);
});

test('an empty list consists of the headings', () => {
  expect(formatTable([])).toBe('ID  NAME  KEY  SCOPES  CREATED  LAST USED  STATE');
});
