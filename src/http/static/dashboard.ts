import type { Middleware } from 'koa';
import { html } from '../pages/html.ts';
import { answerPage, renderPage } from '../pages/page.ts';
import { routeNotFound } from '../problems/problem.ts';
import { isNoScreen } from '../server/operator-paths.ts';
import type { DashboardFiles } from './dashboard-files.ts';
import { answerFile, immutable, revalidated } from './static-file.ts';

const root = '/admin';
const assets = `${root}/assets/`;

/** Scripts, styles and requests only of this origin. Trusted Types reject every HTML sink. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "manifest-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const notBuilt = renderPage({
  title: 'The dashboard is not built',
  main: html`<h1>The dashboard is not built</h1>
    <p>Run <code>npm run build</code> in the folder of Linkmill, then restart the web process.</p>`,
});

/** Serves the dashboard: its files, and its page at every other path below `/admin/` except those of Bull Board and single sign-on. Without a build it
 *  answers 503 with the command that builds it. */
export function serveDashboard(dashboard: DashboardFiles | undefined, basePath: string): Middleware {
  return async (ctx, next) => {
    const { path } = ctx;
    if ((path !== root && !path.startsWith(`${root}/`)) || isNoScreen(path)) await next();
    else if (path === root) {
      ctx.status = 308;
      ctx.set('Location', `${basePath}${root}/${ctx.search}`);
      ctx.body = '';
    } else if (dashboard === undefined) answerPage(ctx, 503, notBuilt);
    else if (path.startsWith(assets)) {
      const file = dashboard.files.get(path.slice(root.length + 1));
      if (file === undefined) throw routeNotFound();
      answerFile(ctx, file, immutable);
    } else {
      ctx.set('Content-Security-Policy', contentSecurityPolicy);
      // On plain HTTP, `Referer` is the only header that proves the origin of a GET with the cookie.
      ctx.set('Referrer-Policy', 'same-origin');
      answerFile(ctx, dashboard.files.get(path.slice(root.length + 1)) ?? dashboard.index, revalidated);
    }
  };
}
