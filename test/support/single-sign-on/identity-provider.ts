import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider, { interactionPolicy } from 'oidc-provider';
import { afterAll, beforeAll } from 'vitest';
import { track } from '../resources.ts';

/** Asks which account to use when a client requests it. */
function withChoiceOfAccounts() {
  const policy = interactionPolicy.base();
  policy.add(new interactionPolicy.Prompt({ name: 'select_account', requestable: true }), 0);
  return policy;
}

export type Answer = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

const client = { id: 'linkmill', secret: 'secret of the client' };

/** A real OpenID Connect provider on the loopback interface, which signs in `person` without asking. `settings` are those of a web process
 *  that uses it; `openFor` must follow once that process listens. */
export function useOidcProvider(more: Record<string, string> = {}) {
  let server: Server;
  let closed: () => void;
  let handle: Answer = (_request, response) => void response.writeHead(503).end();
  let provider: Provider;
  let privateKey: KeyObject;
  let redirectUri: string;
  const settings: Record<string, string> = {
    OIDC_CLIENT_ID: client.id,
    OIDC_CLIENT_SECRET: client.secret,
    ...more,
  };
  /** Answers of paths in place of the provider. */
  const faults = new Map<string, Answer>();
  /** Targets of all requests. */
  const requests: string[] = [];
  const person: { subject: string; claims: Record<string, unknown> } = { subject: 'ada', claims: {} };
  // Another site than that of web processes, which are at 127.0.0.1.
  const issuer = () => `http://localhost:${(server.address() as AddressInfo).port}`;

  /** Starts the provider with a new signing key, and without memory of anybody. */
  function restart(): void {
    ({ privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 }));
    const kid = `key-${requests.length}`;
    provider = new Provider(issuer(), {
      clients: [
        {
          client_id: client.id,
          client_secret: client.secret,
          redirect_uris: [redirectUri],
          response_types: ['code'],
          grant_types: ['authorization_code'],
        },
      ],
      jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid }] },
      cookies: { keys: ['signs the cookies of the provider'] },
      claims: { openid: ['sub'], profile: ['name', 'groups'], email: ['email', 'email_verified'] },
      findAccount: (_ctx: unknown, id: string) => ({
        accountId: id,
        claims: () => ({ sub: id, ...person.claims }),
      }),
      interactions: {
        policy: withChoiceOfAccounts(),
        url: (_ctx: unknown, { uid }: { uid: string }) => `/interaction/${uid}`,
      },
      features: { devInteractions: { enabled: false } },
      pkce: { required: () => true },
      ttl: {
        AccessToken: 60,
        AuthorizationCode: 60,
        Grant: 600,
        IdToken: 60,
        Interaction: 600,
        Session: 600,
      },
    });
    const answer = provider.callback();
    handle = async (request, response) =>
      request.url!.startsWith('/interaction/')
        ? await agree(request, response)
        : await answer(request, response);
  }

  /** Signs the person in, and gives the client what it requests. */
  async function agree(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { prompt, params } = await provider.interactionDetails(request, response);
    const grant = new provider.Grant({ accountId: person.subject, clientId: params.client_id });
    for (const scope of prompt.details.missingOIDCScope ?? []) grant.addOIDCScope(scope);
    const login = { accountId: person.subject };
    const results: Record<string, Record<string, unknown>> = {
      login: { login },
      select_account: { select_account: {}, login },
      consent: { consent: { grantId: await grant.save() } },
    };
    await provider.interactionFinished(request, response, results[prompt.name]!);
  }

  beforeAll(async () => {
    closed = track('OpenID Connect provider');
    server = createServer((request, response) => {
      requests.push(request.url!);
      const { pathname } = new URL(request.url!, 'http://localhost');
      void (faults.get(pathname) ?? handle)(request, response);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    settings['OIDC_ISSUER'] = issuer();
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
    closed();
  });

  return {
    settings,
    issuer,
    faults,
    requests,
    person,
    restart,

    /** Lets the provider accept the redirect URI of a web process. */
    openFor(baseUrl: string): void {
      redirectUri = `${baseUrl}/admin/sign-in/oidc/callback`;
      restart();
    },

    /** Lets the token endpoint answer an ID token with changed claims or another header, signed with the key of the provider. */
    forge(change: {
      claims?: Record<string, unknown>;
      header?: Record<string, unknown>;
      key?: KeyObject;
    }): void {
      faults.set('/token', async (_request, response) => {
        const begun = requests.findLast((target) => target.startsWith('/auth?'))!;
        const now = Math.floor(Date.now() / 1_000);
        const keys = (await (await fetch(`${issuer()}/jwks`)).json()) as { keys: { kid: string }[] };
        const claims = {
          iss: issuer(),
          sub: person.subject,
          aud: client.id,
          iat: now,
          exp: now + 60,
          nonce: new URL(begun, issuer()).searchParams.get('nonce'),
          name: person.subject,
          ...person.claims,
          ...change.claims,
        };
        const header = { alg: 'RS256', kid: keys.keys[0]!.kid, ...change.header };
        const encode = (part: unknown) => Buffer.from(JSON.stringify(part)).toString('base64url');
        const content = `${encode(header)}.${encode(claims)}`;
        const signature = sign('sha256', Buffer.from(content), change.key ?? privateKey).toString(
          'base64url',
        );
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(
          JSON.stringify({
            access_token: 'access',
            token_type: 'bearer',
            id_token: `${content}.${signature}`,
          }),
        );
      });
    },
  };
}
