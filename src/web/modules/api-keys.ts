import { createApiKeyCache } from '../../api-keys/api-key-cache.ts';
import { createApiKeys } from '../../api-keys/api-keys.ts';
import { createUsage } from '../../api-keys/usage.ts';
import type { Knex } from '../../storage/postgres/postgres.ts';
import type { CircuitBreakers } from '../stores/circuit-breakers.ts';
import type { WebContext } from '../stores/context.ts';

/** Interval at which the last use of API keys is stored. */
const writeUsesMs = 30_000;

/** The API keys in the database, and a short-lived cache of them. */
export function openApiKeys({ log, closing }: WebContext, stores: { db: Knex; breakers: CircuitBreakers }) {
  const apiKeys = stores.breakers.postgres.guard(createApiKeys(stores.db));
  const usage = closing.defer(
    'usage of API keys',
    createUsage({ store: apiKeys, of: 'API keys', everyMs: writeUsesMs, log }),
    (ours) => ours.close(),
  );
  return { apiKeys, apiKeyUsage: usage, apiKeyCache: createApiKeyCache({ apiKeys, usage }) };
}
