import type { Context, Middleware } from 'koa';
import { isAllowed } from '../../api-keys/api-key.ts';
import { isJobName, scopeOfJob } from '../../queues/jobs.ts';
import { type Queues, QueueUnavailable } from '../../queues/queues.ts';
import { withDeadline } from '../../resilience/shutdown.ts';
import { basePathOf } from '../base-path.ts';
import { assertScope } from '../middleware/authenticate.ts';
import { isSameOrigin, type RequestSource } from '../middleware/same-origin.ts';
import { isSameSecret } from '../middleware/secret.ts';
import type { SessionReader } from '../middleware/session-reader.ts';
import { Problem } from '../problems/problem.ts';
import { bullBoardPath, isBullBoardPath } from '../server/operator-paths.ts';

/** Bull Board's page loads a web font from another host; the system font replaces it. */
const fontLink = /<link href="https:\/\/fonts\.googleapis\.com[^>]*>/;

/** A hanging Redis looks reachable, and BullMQ would wait for it indefinitely. */
const answerDeadlineMs = 5_000;
const notReachable = () => new QueueUnavailable('the job queues are not reachable');

/** Bull Board behind a session with the scope `jobs:run` or, if a password is set, a login, and a same-origin check for writes, which it lacks
 *  itself. A session also needs the scope of a job for writes to its queue; the login is unrestricted. */
export function bullBoard(deps: {
  queues: Queues;
  sessionReader: SessionReader;
  user: string;
  /** Undefined for no login. */
  password: string | undefined;
  readOnly: boolean;
  baseUrl: string;
}): Middleware {
  const { queues, readOnly, baseUrl } = deps;
  // Loaded by the first request: its modules are a tenth of those of a web process, and most processes never show it.
  let board: Promise<Middleware> | undefined;
  const loadBoard = async () =>
    await (board ??= import('./bull-board-app.ts').then((app) =>
      app.createBullBoardApp(queues, { readOnly }),
    ));

  const admit = createAdmission(deps);
  const guard: Middleware = async (ctx, next) => {
    await admit(ctx);
    const isFile = ctx.path.startsWith(`${bullBoardPath}/static/`);
    if (!isFile && !queues.reachable) throw notReachable();
    const showBoard = await loadBoard();
    const shown = showBoard(ctx, next);
    if (isFile) {
      // It needs no queue, and its first compression takes seconds on a busy machine.
      await shown;
      return;
    }
    await withDeadline(shown, answerDeadlineMs, () => {
      throw notReachable();
    });
    // Adds the base path: the page builds all its URLs from this one.
    if (typeof ctx.body === 'string')
      ctx.body = ctx.body
        .replace(fontLink, '')
        .replaceAll(`"${bullBoardPath}`, `"${basePathOf(baseUrl)}${bullBoardPath}`);
  };
  return async (ctx, next) => await (isBullBoardPath(ctx.path) ? guard(ctx, next) : next());
}

/** Admits a request with the login, or with a session. */
function createAdmission(deps: {
  sessionReader: SessionReader;
  user: string;
  password: string | undefined;
  baseUrl: string;
}) {
  const { sessionReader, user, password, baseUrl } = deps;

  function hasLogin(ctx: Context): boolean {
    const [, encoded = ''] = /^Basic +(\S+)$/i.exec(ctx.get('authorization')) ?? [];
    const given = Buffer.from(encoded, 'base64').toString('utf8');
    return password !== undefined && isSameSecret(given, `${user}:${password}`);
  }

  return async (ctx: Context): Promise<void> => {
    if (hasLogin(ctx)) {
      requireSameOrigin(ctx, baseUrl);
      return;
    }
    const session = await sessionReader.find(ctx, isRead(ctx) ? isUserOrOwnPage : isOwnPage);
    if (session && isAllowed(session.apiKey, 'jobs:run')) {
      if (!isRead(ctx)) for (const scope of scopesOfQueues(ctx.path)) assertScope(session.apiKey, scope);
      return;
    }
    if (password !== undefined) {
      throw new Problem('unauthorized', 'Authentication required.', {
        headers: { 'WWW-Authenticate': 'Basic realm="Linkmill Bull Board", charset="UTF-8"' },
      });
    }
    if (session) assertScope(session.apiKey, 'jobs:run');
    throw new Problem(
      'unauthorized',
      'Authentication required. Sign in with an API key with the scope jobs:run.',
    );
  };
}

/** The scopes of the jobs whose queues a path names, decoded as the router of Bull Board decodes its parameters. */
const scopesOfQueues = (path: string) =>
  path
    .split('/')
    .map(decode)
    .filter(isJobName)
    .map(scopeOfJob)
    .filter((scope) => scope !== undefined);

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const isRead = ({ method }: Context) => method === 'GET' || method === 'HEAD';

const isOwnPage = (source: RequestSource) => source === 'own-page';

/** Reads change nothing, and other pages cannot see them. They come from the address bar too, which sends no header on plain HTTP. */
const isUserOrOwnPage = (source: RequestSource) => source !== 'other-page';

/** Rejects writes that a page of another site sends with the login that the browser remembers. */
function requireSameOrigin(ctx: Context, baseUrl: string): void {
  if (isRead(ctx) || isSameOrigin(ctx, baseUrl)) return;
  throw new Problem('cross-origin-request', 'Cross-origin changes are not accepted.');
}
