import { createPeople } from '../../api-keys/people.ts';
import { singleSignOnCallbackPath } from '../../http/server/operator-paths.ts';
import { createKeyGenerator } from '../../keys/key-generator.ts';
import type { Sessions } from '../../sessions/sessions.ts';
import { createProvider } from '../../single-sign-on/provider.ts';
import { createSingleSignOn, type SingleSignOn } from '../../single-sign-on/single-sign-on.ts';
import type { Knex } from '../../storage/postgres/postgres.ts';
import type { CircuitBreakers } from '../stores/circuit-breakers.ts';
import type { WebContext } from '../stores/context.ts';

/** Sign-in with OpenID Connect; undefined without its settings. */
export function openSingleSignOn(
  { config, log }: Pick<WebContext, 'config' | 'log'>,
  deps: { db: Knex; breakers: CircuitBreakers; sessions: Sessions },
): SingleSignOn | undefined {
  const { db, breakers, sessions } = deps;
  const { OIDC_ISSUER: issuer, OIDC_CLIENT_ID: clientId, OIDC_CLIENT_SECRET: clientSecret } = config;
  if (issuer === undefined || clientId === undefined || clientSecret === undefined) return undefined;
  const generator = breakers.postgres.guard(createKeyGenerator(db));
  return createSingleSignOn({
    provider: createProvider({
      issuer,
      clientId,
      clientSecret,
      scope: config.OIDC_SCOPES,
      redirectUri: `${config.BASE_URL}${singleSignOnCallbackPath}`,
    }),
    people: breakers.postgres.guard(createPeople(db)),
    sessions,
    loadSecret: async () => await generator.deriveSecret('single sign-on'),
    rules: {
      nameClaim: config.OIDC_NAME_CLAIM,
      groupsClaims: config.OIDC_GROUPS_CLAIM,
      adminGroup: config.OIDC_ADMIN_GROUP,
      userGroup: config.OIDC_USER_GROUP,
      scopes: config.OIDC_API_KEY_SCOPES,
      ownUrlsOnly: config.OIDC_OWN_URLS_ONLY,
    },
    sessionHours: config.OIDC_SESSION_HOURS,
    log,
  });
}
