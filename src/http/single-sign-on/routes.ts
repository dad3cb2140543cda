import type { Context } from 'koa';
import { z } from 'zod';
import { SignInFailed } from '../../single-sign-on/sign-in-failed.ts';
import type { SingleSignOn } from '../../single-sign-on/single-sign-on.ts';
import { basePathOf } from '../base-path.ts';
import type { RateLimits } from '../middleware/rate-limits.ts';
import { requestSourceOf } from '../middleware/same-origin.ts';
import { createSessionCookie, createSignInCookie } from '../middleware/session-cookie.ts';
import { pageAnswer } from '../pages/page.ts';
import { methodNotAllowed } from '../problems/problem.ts';
import type { PublicHandlers, PublicRoutes } from '../routes/public-route.ts';
import type { AnswerOf } from '../routes/reply.ts';
import { singleSignOnCallbackPath, singleSignOnPath } from '../server/operator-paths.ts';
import { continuePage, failurePage } from './pages.ts';
import { readReturnPath } from './return-path.ts';

const retryAfterSeconds = 10;

/** A parameter that must not be repeated. */
const parameter = (description: string) => z.string().optional().catch(undefined).describe(description);

const page = (description: string) => ({ description, content: ['text/html'] }) as const;

const failureReplies = {
  400: page('A page: this browser has not begun the sign-in, or it has ended.'),
  403: page('A page: the person may not sign in.'),
  404: page('A page: single sign-on is not set up.'),
  502: page('A page: the answer of the provider is not valid.'),
  503: { ...page('A page: the provider does not answer.'), headers: { 'Retry-After': 'Seconds' } },
} as const;

/** Sign-in with OpenID Connect: the authorization code flow with PKCE. */
export const singleSignOnRoutes = {
  beginSingleSignOn: {
    method: 'get',
    path: singleSignOnPath,
    summary: 'Sign in with single sign-on',
    description:
      'Sends a browser to the OpenID Connect provider. A link on another site leads to the dashboard instead, and another host or plain HTTP first to `BASE_URL`, where the provider sends the browser back.',
    query: z.object({
      return: parameter('Path of the screen to open after the sign-in'),
      prompt: z
        .literal('select_account')
        .optional()
        .catch(undefined)
        .describe('The provider asks which account to use'),
      moved: parameter('Set where another address of this service has sent the browser here'),
    }),
    replies: {
      303: {
        description: 'The sign-in continues at the provider, or at the address of this service.',
        headers: {
          Location: 'Address at the provider or of this service',
          'Set-Cookie': 'Cookie of the sign-in, for 10 minutes',
        },
      },
      ...failureReplies,
    },
    problems: [],
  },
  completeSingleSignOn: {
    method: 'get',
    path: singleSignOnCallbackPath,
    summary: 'Complete a single sign-on',
    description:
      'The redirect URI: the provider sends the browser here. At most 60 sign-ins per minute from one address.',
    query: z.object({
      state: parameter('State of the sign-in'),
      code: parameter('Authorization code'),
      error: parameter('Error of the provider (RFC 6749, section 4.1.2.1)'),
      iss: parameter('Issuer (RFC 9207)'),
    }),
    replies: {
      200: {
        ...page('A page that opens the dashboard. The session is created.'),
        headers: { 'Set-Cookie': 'Cookie of the session' },
      },
      ...failureReplies,
    },
    problems: ['method-not-allowed'],
  },
} as const satisfies PublicRoutes;

export function singleSignOnHandlers(deps: {
  /** Undefined without settings of a provider. */
  singleSignOn: SingleSignOn | undefined;
  rateLimits: Pick<RateLimits, 'chargeSingleSignOn'>;
  baseUrl: string;
}): PublicHandlers<typeof singleSignOnRoutes> {
  const { singleSignOn, rateLimits, baseUrl } = deps;
  const basePath = basePathOf(baseUrl);
  const signInCookie = createSignInCookie(baseUrl);
  const sessionCookie = createSessionCookie(baseUrl);

  const answerFailure = (reason: Parameters<typeof failurePage>[0]) => {
    const { status, page } = failurePage(reason, basePath);
    const { headers, ...answer } = pageAnswer(status, page);
    const retryAfter = status === 503 ? { 'Retry-After': String(retryAfterSeconds) } : {};
    return {
      ...answer,
      headers: { ...headers, ...retryAfter, ...noReferrer },
    } as AnswerOf<typeof failureReplies>;
  };

  /** The answer of a step, or the page for its failure. */
  async function answer<Answer>(step: (ours: SingleSignOn) => Promise<Answer>) {
    if (singleSignOn === undefined) return answerFailure('off');
    try {
      return await step(singleSignOn);
    } catch (error) {
      if (error instanceof SignInFailed) return answerFailure(error.reason);
      throw error;
    }
  }

  return {
    beginSingleSignOn: async ({ query: { return: given, prompt, moved }, ctx }) =>
      await answer(async ({ begin }) => {
        const returnPath = readReturnPath(given, basePath);
        // Otherwise any site could replace the session of a browser.
        if (requestSourceOf(ctx, baseUrl) === 'other-page')
          return { status: 303, headers: { Location: `${baseUrl}${returnPath}` } };
        // Once, since some reverse proxies change the host.
        if (moved === undefined && !isAtBaseUrl(ctx, baseUrl)) {
          const query = new URLSearchParams({ return: returnPath, ...(prompt && { prompt }), moved: '1' });
          return { status: 303, headers: { Location: `${baseUrl}${singleSignOnPath}?${query.toString()}` } };
        }
        const session = sessionCookie.read(ctx);
        const { url, kept } = await begin({ returnPath, choosesAccount: prompt !== undefined, session });
        ctx.append('Set-Cookie', signInCookie.store(kept));
        return { status: 303, headers: { Location: url } };
      }),

    completeSingleSignOn: async ({ query: { state }, ctx }) =>
      await answer(async ({ recall, complete }) => {
        // The router routes HEAD to GET, and a code can be used once.
        if (ctx.method === 'HEAD') throw methodNotAllowed('GET');
        const pending = await recall(signInCookie.read(ctx), state);
        rateLimits.chargeSingleSignOn(ctx.req);
        ctx.append('Set-Cookie', signInCookie.removal);
        const token = await complete(pending, ctx.search, sessionCookie.browserOf(ctx));
        ctx.append('Set-Cookie', sessionCookie.store(token));
        const { headers, ...page } = pageAnswer(200, continuePage(`${baseUrl}${pending.returnPath}`));
        return { ...page, headers: { ...headers, ...noReferrer } };
      }),
  };
}

/** Whether a browser is at the base URL, as far as its request shows: its cookie of the sign-in must reach the redirect URI. Browsers send
 *  `Sec-Fetch-Site` with HTTPS and to the local machine only. */
function isAtBaseUrl(ctx: Context, baseUrl: string): boolean {
  const { host, protocol } = new URL(baseUrl);
  return ctx.get('host') === host && (protocol === 'http:' || ctx.get('sec-fetch-site') !== '');
}

/** The address of these pages contains the code. */
const noReferrer = { 'Referrer-Policy': 'no-referrer' };
