import type { ApiKeyCache } from '../../api-keys/api-key-cache.ts';
import { createUsage, type Usage } from '../../api-keys/usage.ts';
import { createSessionCache } from '../../sessions/session-cache.ts';
import { createSessionStore } from '../../sessions/session-store.ts';
import { createSessions } from '../../sessions/sessions.ts';
import { isIssuerOf } from '../../single-sign-on/issuer.ts';
import type { Knex } from '../../storage/postgres/postgres.ts';
import type { CircuitBreakers } from '../stores/circuit-breakers.ts';
import type { WebContext } from '../stores/context.ts';

/** Interval at which the last use of sessions is stored. */
const writeUsesMs = 30_000;

/** Sessions of browsers in the database, and a short-lived cache of them. A use of a session is one of its API key too. */
export function openSessions(
  { config, log, closing }: WebContext,
  deps: { db: Knex; breakers: CircuitBreakers; apiKeyCache: ApiKeyCache; apiKeyUsage: Usage },
) {
  const { db, breakers, apiKeyCache, apiKeyUsage } = deps;
  const store = breakers.postgres.guard(createSessionStore(db, isIssuerOf(config.OIDC_ISSUER)));
  const usage = closing.defer(
    'usage of sessions',
    createUsage({ store, of: 'sessions', everyMs: writeUsesMs, log }),
    (ours) => ours.close(),
  );
  const cache = createSessionCache({
    store,
    onUse({ id, apiKey }) {
      usage.add(id);
      apiKeyUsage.add(apiKey.id);
    },
  });
  return createSessions({ store, cache, apiKeys: apiKeyCache });
}
