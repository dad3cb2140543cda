import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { ApiKey } from './api-key.ts';
import type { ApiKeys } from './api-keys.ts';
import type { KeyUsage } from './key-uses.ts';

/** How long a key is taken to be what it was without asking: one that is revoked or changed is so this much later at the latest. */
const rememberMs = 2_000;
const maxKeys = 10_000;

export type KnownApiKeys = ReturnType<typeof createKnownApiKeys>;

/** Remembers for a moment whose keys are valid, and asks once for all who come with the same key at the same time, so that a
 *  client that sends a thousand requests a second costs PostgreSQL one look-up every 2 s. */
export function createKnownApiKeys(deps: {
  apiKeys: Pick<ApiKeys, 'find'>;
  uses: Pick<KeyUsage, 'note'>;
}): Pick<ApiKeys, 'find'> {
  const { apiKeys, uses } = deps;
  const known = new LRUCache<string, ApiKey, string>({
    max: maxKeys,
    ttl: rememberMs,
    fetchMethod: async (_digest, _stale, { context: key }) => {
      const found = await apiKeys.find(key);
      if (found) uses.note(found.id);
      return found;
    },
  });
  return {
    // By its hash: keys themselves are nobody's to find in memory.
    find: async (key) =>
      await known.fetch(createHash('sha256').update(key).digest('base64'), { context: key }),
  };
}
