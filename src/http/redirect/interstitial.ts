import type { IncomingMessage } from 'node:http';
import type { Context } from 'koa';
import type { PasswordAttempts, PasswordAttempt } from '../../urls/access/password-attempts.ts';
import type { CachedUrl } from '../../urls/cache/entry.ts';
import { type StoredUrl, UrlNotFound } from '../../urls/url.ts';
import { createFormReader } from '../middleware/form.ts';
import { isSameOrigin } from '../middleware/same-origin.ts';
import { validate } from '../middleware/validation.ts';
import { answerPage, wantsJson } from '../pages/page.ts';
import type { Pages } from '../pages/pages.ts';
import { Problem } from '../problems/problem.ts';
import { visitRoutes } from './visit-routes.ts';

const { body: unlockForm } = visitRoutes.unlockUrl;
const readForm = createFormReader(unlockForm.maxBytes);

export type Interstitial = ReturnType<typeof createInterstitial>;

/** The page in front of short URLs that require a password or work once. Only its form opens them, so programs that fetch links
 *  automatically never use them up. */
export function createInterstitial(deps: {
  findUrl: (shortCode: string) => Promise<StoredUrl | undefined>;
  attempts: PasswordAttempts;
  /** Whether a password matches a hash. Throws Overloaded. */
  checkPassword: (password: string, hash: string) => Promise<boolean>;
  readClientAddress: (request: IncomingMessage) => string;
  pages: Pages;
  baseUrl: string;
  /** Schemes other than http and https that original URLs may have. */
  schemes: readonly string[];
}) {
  const { findUrl, attempts, checkPassword, readClientAddress, pages, baseUrl, schemes } = deps;

  async function check(password: string, attempt: PasswordAttempt): Promise<boolean> {
    try {
      return await checkPassword(password, attempt.passwordHash);
    } catch (error) {
      await attempts.undo(attempt);
      throw error;
    }
  }

  /** Whether the visitor's password is correct. Throws a 429 after too many attempts. */
  async function isCorrect(ctx: Context, shortCode: string, password: string): Promise<boolean> {
    // From the database, not a cache: a changed password is effective immediately.
    const url = await findUrl(shortCode);
    if (!url?.isActive || url.isDeleted) throw new UrlNotFound('short URL not found');
    if (url.passwordHash === null) return true;
    const attempt = { urlId: url.id, passwordHash: url.passwordHash, address: readClientAddress(ctx.req) };
    const waitSeconds = await attempts.begin(attempt);
    if (waitSeconds !== undefined) throw tooManyAttempts(waitSeconds);
    const matches = await check(password, attempt);
    if (matches) await attempts.succeed(attempt);
    return matches;
  }

  /** Shows the page, or answers a JSON client with a problem. */
  function show(ctx: Context, shortCode: string, { rules }: CachedUrl): void {
    const hasPassword = rules?.isProtected ?? false;
    if (wantsJson(ctx)) throw hasPassword ? passwordRequired() : confirmationRequired();
    const visit = { shortCode, hasPassword, isOneTime: rules?.isOneTime ?? false, schemes };
    answerPage(ctx, 200, pages(ctx).interstitial(visit));
  }

  function rejectPassword(ctx: Context, shortCode: string, { rules }: CachedUrl): void {
    const problem = invalidPassword();
    if (wantsJson(ctx)) throw problem;
    const visit = { shortCode, hasPassword: true, isOneTime: rules?.isOneTime ?? false, schemes };
    answerPage(ctx, problem.status, pages(ctx).interstitial({ ...visit, isWrong: true }));
  }

  return {
    show,

    /** Whether the visitor's form opens the short URL; otherwise the page is shown again. */
    async opens(ctx: Context, shortCode: string, url: CachedUrl): Promise<boolean> {
      if (!isSameOrigin(ctx, baseUrl)) throw crossOriginRequest();
      if (!url.rules?.isProtected) return true;
      const { password = '' } = validate(unlockForm.schema, await readForm(ctx));
      if (password === '') show(ctx, shortCode, url);
      else if (await isCorrect(ctx, shortCode, password)) return true;
      else rejectPassword(ctx, shortCode, url);
      return false;
    },
  };
}

const passwordRequired = () =>
  new Problem('password-required', 'A password is required. Send it by POST in the form field password.');
const invalidPassword = () => new Problem('invalid-password', 'The password is incorrect.');
const confirmationRequired = () =>
  new Problem('confirmation-required', 'This short URL works once. Send a POST to open it.');
const crossOriginRequest = () =>
  new Problem('cross-origin-request', 'Cross-origin form submissions are not accepted.');
const tooManyAttempts = (waitSeconds: number) =>
  new Problem('too-many-attempts', 'Too many incorrect passwords. Retry later.', {
    headers: { 'Retry-After': String(waitSeconds) },
  });
