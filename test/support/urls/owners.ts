import { beforeAll } from 'vitest';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import type { Knex } from '../../../src/storage/postgres/postgres.ts';

/** Two API keys for a test file, by their IDs. */
export function useOwners(db: () => Knex): { owner: () => number; otherOwner: () => number } {
  let ids: { owner: number; otherOwner: number };
  beforeAll(async () => {
    const apiKeys = createApiKeys(db());
    ids = {
      owner: (await apiKeys.create('owner')).id,
      otherOwner: (await apiKeys.create('otherOwner')).id,
    };
  });
  return { owner: () => ids.owner, otherOwner: () => ids.otherOwner };
}
