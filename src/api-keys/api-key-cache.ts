import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { ApiKey } from './api-key.ts';
import type { ApiKeys } from './api-keys.ts';
import type { Usage } from './usage.ts';

/** Upper bound for the delay with which a revocation or update takes effect. */
const ttlMs = 2_000;
const maxKeys = 10_000;

export type ApiKeyCache = ReturnType<typeof createApiKeyCache>;

/** Caches valid keys, and coalesces concurrent look-ups of a key: a client with 1,000 requests per second costs PostgreSQL one look-up
 *  every 2 s. */
export function createApiKeyCache(deps: {
  apiKeys: Pick<ApiKeys, 'find'>;
  usage: Pick<Usage, 'add'>;
}): Pick<ApiKeys, 'find'> {
  const { apiKeys, usage } = deps;
  const cache = new LRUCache<string, ApiKey, string>({
    max: maxKeys,
    ttl: ttlMs,
    fetchMethod: async (_digest, _stale, { context: key }) => {
      const found = await apiKeys.find(key);
      if (found) usage.add(found.id);
      return found;
    },
  });
  return {
    // Cache keys are hashes: secrets must not stay in memory.
    find: async (key) =>
      await cache.fetch(createHash('sha256').update(key).digest('base64'), { context: key }),
  };
}
