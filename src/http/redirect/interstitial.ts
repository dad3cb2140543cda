import type { IncomingMessage } from 'node:http';
import type { Context } from 'koa';
import type { PasswordAttempts, PasswordAttempt } from '../../urls/access/password-attempts.ts';
import type { CachedUrl } from '../../urls/cache/entry.ts';
import { type StoredUrl, UrlNotFound } from '../../urls/url.ts';
import { createFormReader } from '../middleware/form.ts';
import { isSameOrigin } from '../middleware/same-origin.ts';
import { interstitialPage } from '../pages/interstitial-page.ts';
import { answerPage, wantsJson } from '../pages/page.ts';
import { Problem } from '../problems/problem.ts';

const readForm = createFormReader(4_096);

export type Interstitial = ReturnType<typeof createInterstitial>;

/** The page of short URLs that open by a deed of the visitor: a password, or the wish to use up what works once. To look at it
 *  opens nothing, so whatever fetches links by itself uses none up. */
export function createInterstitial(deps: {
  findUrl: (shortCode: string) => Promise<StoredUrl | undefined>;
  tries: PasswordAttempts;
  /** Whether a password is the one of a hash; throws Overloaded. */
  checkPassword: (password: string, hash: string) => Promise<boolean>;
  readClientAddress: (request: IncomingMessage) => string;
  baseUrl: string;
  /** Schemes besides http and https to which short URLs may redirect. */
  schemes: readonly string[];
}) {
  const { findUrl, tries, checkPassword, readClientAddress, baseUrl, schemes } = deps;

  async function check(password: string, attempt: PasswordAttempt): Promise<boolean> {
    try {
      return await checkPassword(password, attempt.passwordHash);
    } catch (error) {
      await tries.undo(attempt);
      throw error;
    }
  }

  /** Whether the visitor's password is the right one; throws a 429 where it must not be tried. */
  async function knows(ctx: Context, shortCode: string, password: string): Promise<boolean> {
    // From the table: a password that was changed just now holds from now on.
    const url = await findUrl(shortCode);
    if (!url?.isActive || url.isDeleted) throw new UrlNotFound('short URL not found');
    if (url.passwordHash === null) return true;
    const attempt = { urlId: url.id, passwordHash: url.passwordHash, address: readClientAddress(ctx.req) };
    const waitSeconds = await tries.begin(attempt);
    if (waitSeconds !== undefined) throw tooManyTries(waitSeconds);
    const isRight = await check(password, attempt);
    if (isRight) await tries.succeed(attempt);
    return isRight;
  }

  /** Shows the page; to whoever asks for JSON says what is missing. */
  function show(ctx: Context, { rules }: CachedUrl): void {
    const hasPassword = rules?.isProtected ?? false;
    if (wantsJson(ctx)) throw hasPassword ? passwordNeeded() : confirmationNeeded();
    answerPage(ctx, 200, interstitialPage({ hasPassword, isOneTime: rules?.isOneTime ?? false, schemes }));
  }

  function showWrong(ctx: Context, { rules }: CachedUrl): void {
    const problem = wrongPassword();
    if (wantsJson(ctx)) throw problem;
    answerPage(
      ctx,
      problem.status,
      interstitialPage({ hasPassword: true, isOneTime: rules?.isOneTime ?? false, isWrong: true, schemes }),
    );
  }

  return {
    show,

    /** Whether what a visitor has sent opens the short URL; otherwise the page is shown again. */
    async opens(ctx: Context, shortCode: string, url: CachedUrl): Promise<boolean> {
      if (!isSameOrigin(ctx, baseUrl)) throw foreignOrigin();
      if (!url.rules?.isProtected) return true;
      const { password = '' } = await readForm(ctx);
      if (password === '') show(ctx, url);
      else if (await knows(ctx, shortCode, password)) return true;
      else showWrong(ctx, url);
      return false;
    },
  };
}

const passwordNeeded = () =>
  new Problem('password-required', 'Send the password by POST, as the form field password.');
const wrongPassword = () => new Problem('invalid-password', 'The password is wrong.');
const confirmationNeeded = () =>
  new Problem('confirmation-required', 'The short URL works once: a POST opens it.');
const foreignOrigin = () =>
  new Problem('cross-origin-request', 'A short URL is opened from its own page only.');
const tooManyTries = (waitSeconds: number) =>
  new Problem('too-many-attempts', 'The password was tried too often.', {
    headers: { 'Retry-After': String(waitSeconds) },
  });
