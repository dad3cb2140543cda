import type { Context, Middleware } from 'koa';
import compose from 'koa-compose';
import { type Queues, QueueUnavailable } from '../../queues/queues.ts';
import { withDeadline } from '../../resilience/shutdown.ts';
import { basePathOf } from '../base-path.ts';
import { isSameOrigin } from '../middleware/same-origin.ts';
import { isSameSecret } from '../middleware/secret.ts';
import { Problem } from '../problems/problem.ts';
import { bullBoardPath, isBullBoardPath } from '../server/operator-paths.ts';

/** Bull Board's page loads a web font from another host; the system font replaces it. */
const fontLink = /<link href="https:\/\/fonts\.googleapis\.com[^>]*>/;

/** A hanging Redis looks reachable, and BullMQ would wait for it indefinitely. */
const answerDeadlineMs = 5_000;
const notReachable = () => new QueueUnavailable('the job queues are not reachable');

/** Bull Board behind a login and a same-origin check for writes, which it lacks itself. */
export function bullBoard(deps: {
  queues: Queues;
  user: string;
  password: string;
  readOnly: boolean;
  baseUrl: string;
}): Middleware {
  const { queues, user, password, readOnly, baseUrl } = deps;
  // Loaded by the first request: its modules are a tenth of those of a web process, and most processes never show it.
  let board: Promise<Middleware> | undefined;
  const showBoard: Middleware = async (ctx, next) => {
    board ??= import('./bull-board-app.ts').then((app) => app.createBullBoardApp(queues, { readOnly }));
    await (
      await board
    )(ctx, next);
  };

  const guard: Middleware = async (ctx, next) => {
    requireLogin(ctx, user, password);
    requireSameOrigin(ctx, baseUrl);
    if (!queues.reachable) throw notReachable();
    await withDeadline(next(), answerDeadlineMs, () => {
      throw notReachable();
    });
    // Adds the base path: the page builds all its URLs from this one.
    if (typeof ctx.body === 'string')
      ctx.body = ctx.body
        .replace(fontLink, '')
        .replaceAll(`"${bullBoardPath}`, `"${basePathOf(baseUrl)}${bullBoardPath}`);
  };
  const guarded = compose([guard, showBoard]);
  return async (ctx, next) => await (isBullBoardPath(ctx.path) ? guarded(ctx, next) : next());
}

function requireLogin(ctx: Context, user: string, password: string): void {
  const [, encoded = ''] = /^Basic +(\S+)$/i.exec(ctx.get('authorization')) ?? [];
  const given = Buffer.from(encoded, 'base64').toString('utf8');
  if (isSameSecret(given, `${user}:${password}`)) return;
  throw new Problem('unauthorized', 'Authentication required.', {
    headers: { 'WWW-Authenticate': 'Basic realm="Linkmill Bull Board", charset="UTF-8"' },
  });
}

/** Rejects writes that a page of another site sends with the login that the browser remembers. */
function requireSameOrigin(ctx: Context, baseUrl: string): void {
  if (ctx.method === 'GET' || ctx.method === 'HEAD' || isSameOrigin(ctx, baseUrl)) return;
  throw new Problem('cross-origin-request', 'Cross-origin changes are not accepted.');
}
