import { createHash, timingSafeEqual } from 'node:crypto';
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { KoaAdapter } from '@bull-board/koa';
import type { Context, Middleware } from 'koa';
import compose from 'koa-compose';
import { isJobName, jobs, type Queues } from '../jobs.ts';
import { Problem } from './errors.ts';

export const boardPath = '/admin/queues';

const isBoard = (ctx: Context) => ctx.path === boardPath || ctx.path.startsWith(`${boardPath}/`);

/** Bull Board behind a login, with writes from its own page only: it has neither protection of its own. */
export function bullBoard(deps: {
  queues: Queues;
  user: string;
  password: string;
  readOnly: boolean;
  baseUrl: string;
}): Middleware {
  const { queues, user, password, readOnly, baseUrl } = deps;
  const serverAdapter = new KoaAdapter();
  serverAdapter.setBasePath(boardPath);
  createBullBoard({
    queues: queues.all.map(
      (queue) =>
        new BullMQAdapter(queue, {
          readOnlyMode: readOnly,
          description: isJobName(queue.name) ? jobs[queue.name].description : '',
        }),
    ),
    serverAdapter,
    options: { uiConfig: { boardTitle: 'Linkmill' } },
  });
  const board = serverAdapter.registerPlugin() as unknown as Middleware;

  const guard: Middleware = async (ctx, next) => {
    requireLogin(ctx, user, password);
    requireSameOrigin(ctx, baseUrl);
    if (!queues.reachable) {
      throw new Problem(503, 'unavailable', 'The job queues are not reachable.', {
        headers: { 'Retry-After': '2' },
      });
    }
    await next();
  };
  const guarded = compose([guard, board]);
  return async (ctx, next) => await (isBoard(ctx) ? guarded(ctx, next) : next());
}

function requireLogin(ctx: Context, user: string, password: string): void {
  const [, encoded = ''] = /^Basic +(\S+)$/i.exec(ctx.get('authorization')) ?? [];
  const given = Buffer.from(encoded, 'base64').toString('utf8');
  if (isSameSecret(given, `${user}:${password}`)) return;
  throw new Problem(401, 'unauthorized', 'Bull Board needs its login.', {
    headers: { 'WWW-Authenticate': 'Basic realm="Linkmill Bull Board", charset="UTF-8"' },
  });
}

/** Refuses a write that another site's page sends with the visitor's remembered login. A browser names the page's origin
 *  with every write; what names none is no browser. */
function requireSameOrigin(ctx: Context, baseUrl: string): void {
  if (ctx.method === 'GET' || ctx.method === 'HEAD') return;
  const site = ctx.get('sec-fetch-site');
  const origin = ctx.get('origin');
  const isOwnOrigin =
    origin === baseUrl || (URL.canParse(origin) && new URL(origin).host === ctx.get('host'));
  if (site ? site === 'same-origin' : !origin || isOwnOrigin) return;
  throw new Problem(403, 'foreign-origin', 'Bull Board takes changes from its own pages only.');
}

/** Compares in constant time, whatever the lengths. */
function isSameSecret(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
