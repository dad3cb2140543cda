import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { ApiKey } from './api-key.ts';
import type { ApiKeys } from './api-keys.ts';

/** How long a key is taken to be valid without asking: a revoked one is refused this much later at the latest. */
const rememberMs = 2_000;
const maxKeys = 10_000;

/** Remembers for a moment whose keys are valid, and asks once for all who come with the same key at the same time, so that a
 *  client that sends a thousand requests a second costs PostgreSQL one look-up every 2 s. */
export function createKnownApiKeys(apiKeys: Pick<ApiKeys, 'find'>): Pick<ApiKeys, 'find'> {
  const known = new LRUCache<string, ApiKey, string>({
    max: maxKeys,
    ttl: rememberMs,
    fetchMethod: async (_digest, _stale, { context: key }) => await apiKeys.find(key),
  });
  return {
    // By its hash: keys themselves are nobody's to find in memory.
    find: async (key) =>
      await known.fetch(createHash('sha256').update(key).digest('base64'), { context: key }),
  };
}
