import type { Middleware } from 'koa';
import { version } from '../../version.ts';
import { homePage } from '../pages/home-page.ts';
import { answerPage } from '../pages/page.ts';

/** `GET /`: name and version of the service, or the home page for a browser. */
export function createServiceHandler(baseUrl: string): Middleware {
  const home = homePage(baseUrl);
  return (ctx) => {
    ctx.vary('Accept');
    if (ctx.accepts('json', 'html') === 'html') answerPage(ctx, 200, home);
    else ctx.body = { service: 'linkmill', version };
  };
}
