import { createApiKeys } from '../../api-keys/api-keys.ts';
import { createKeyUsage } from '../../api-keys/key-usage.ts';
import { createApiKeyCache } from '../../api-keys/api-key-cache.ts';
import type { Knex } from '../../storage/postgres/postgres.ts';
import type { CircuitBreakers } from '../stores/circuit-breakers.ts';
import type { WebContext } from '../stores/context.ts';

/** How often a web process writes down which keys were used. */
const writeUsesMs = 30_000;

/** API keys as a web process sees them: all of them in the table, and those that it knows for a moment. */
export function openApiKeys({ log, closing }: WebContext, stores: { db: Knex; breakers: CircuitBreakers }) {
  const apiKeys = stores.breakers.postgres.guard(createApiKeys(stores.db));
  const usage = closing.defer(
    'usage of API keys',
    createKeyUsage({ store: apiKeys, everyMs: writeUsesMs, log }),
    (ours) => ours.close(),
  );
  return { apiKeys, apiKeyCache: createApiKeyCache({ apiKeys, usage }) };
}
