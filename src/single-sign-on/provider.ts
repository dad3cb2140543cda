import type { Configuration, ServerMetadata } from 'openid-client';
import type { Claims } from './claims.ts';
import { findClaim } from './claims.ts';
import { toSignInFailed } from './provider-error.ts';

/** Longest time for the metadata of the provider, and for all requests that complete a sign-in. */
const discoverySeconds = 5;
const completionMs = 8_000;
/** How long the metadata of the provider is used. */
const metadataMs = 10 * 60_000;
/** Tolerated difference between the clocks of the provider and of this service. */
const clockToleranceSeconds = 60;

/** The prompt that lets a person choose another account. A provider that says that it has no choice of accounts asks for the password. */
const promptFor = ({ prompt_values_supported: values }: ServerMetadata) =>
  Array.isArray(values) && !values.includes('select_account') ? 'login' : 'select_account';

export type Provider = ReturnType<typeof createProvider>;

/** What ties the steps of one sign-in together. */
export interface Checks {
  state: string;
  nonce: string;
  verifier: string;
}

/** Loaded by the first sign-in: most services have no provider. */
const load = async () => await import('openid-client');

/** An OpenID Connect provider. Its metadata is read at the first sign-in, so the service starts without it. Methods throw SignInFailed, and
 *  end within a few seconds while the provider does not answer. */
export function createProvider(settings: {
  issuer: string;
  clientId: string;
  clientSecret: string;
  /** Scopes to request, separated by spaces. */
  scope: string;
  redirectUri: string;
}) {
  const { issuer, clientId, clientSecret, scope, redirectUri } = settings;
  let metadata: { read: Promise<ServerMetadata>; usableUntil: number } | undefined;

  async function discover(): Promise<ServerMetadata> {
    const client = await load();
    const url = new URL(issuer);
    const execute = url.protocol === 'http:' ? [client.allowInsecureRequests] : [];
    const timeout = discoverySeconds;
    const found = await client.discovery(url, clientId, undefined, client.None(), { execute, timeout });
    return found.serverMetadata();
  }

  async function readMetadata(): Promise<ServerMetadata> {
    if (metadata === undefined || performance.now() > metadata.usableUntil) {
      const reading = { read: discover(), usableUntil: performance.now() + metadataMs };
      metadata = reading;
      // A failure is not kept: the next sign-in reads again.
      reading.read.catch(() => {
        if (metadata === reading) metadata = undefined;
      });
    }
    return await metadata.read;
  }

  /** A configuration of its own for each sign-in: it reads the keys of the provider again, which can change at any time. */
  async function configure(): Promise<Configuration> {
    const client = await load();
    const server = await readMetadata();
    const methods = server.token_endpoint_auth_methods_supported;
    const takesBasic = methods?.includes('client_secret_basic') !== false;
    const authentication = takesBasic ? client.ClientSecretBasic : client.ClientSecretPost;
    const options = { [client.clockTolerance]: clockToleranceSeconds };
    const configuration = new client.Configuration(server, clientId, options, authentication(clientSecret));
    if (new URL(issuer).protocol === 'http:') client.allowInsecureRequests(configuration);
    client.enableNonRepudiationChecks(configuration);
    const deadline = AbortSignal.timeout(completionMs);
    configuration[client.customFetch] = async (url, request) =>
      await fetch(url, { ...request, signal: deadline });
    return configuration;
  }

  return {
    /** New random checks, and the address at the provider where the sign-in continues. The provider may sign in a person without asking,
     *  unless `choosesAccount`. */
    async begin({ choosesAccount }: { choosesAccount: boolean }): Promise<{ url: string; checks: Checks }> {
      try {
        const client = await load();
        const verifier = client.randomPKCECodeVerifier();
        const checks = { state: client.randomState(), nonce: client.randomNonce(), verifier };
        const configuration = await configure();
        const url = client.buildAuthorizationUrl(configuration, {
          response_type: 'code',
          redirect_uri: redirectUri,
          scope,
          state: checks.state,
          nonce: checks.nonce,
          code_challenge: await client.calculatePKCECodeChallenge(verifier),
          code_challenge_method: 'S256',
          ...(choosesAccount && { prompt: promptFor(configuration.serverMetadata()) }),
        });
        return { url: url.href, checks };
      } catch (error) {
        throw toSignInFailed(error);
      }
    },

    /** The claims about the person whom the provider has signed in. `query` is that of the request to the redirect URI. Asks the userinfo
     *  endpoint where the ID token lacks one of the `needed` claims. */
    async identify(query: string, checks: Checks, needed: string[]): Promise<Claims> {
      try {
        const client = await load();
        const configuration = await configure();
        const tokens = await client.authorizationCodeGrant(configuration, new URL(redirectUri + query), {
          expectedState: checks.state,
          expectedNonce: checks.nonce,
          pkceCodeVerifier: checks.verifier,
          idTokenExpected: true,
        });
        const claims = tokens.claims()!;
        const isComplete = needed.every((name) => findClaim(claims, name) !== undefined);
        if (isComplete || configuration.serverMetadata().userinfo_endpoint === undefined) return claims;
        const userInfo = await client.fetchUserInfo(configuration, tokens.access_token, claims.sub);
        return { ...userInfo, ...claims };
      } catch (error) {
        throw toSignInFailed(error);
      }
    },
  };
}
