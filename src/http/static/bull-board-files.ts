import type { Middleware } from 'koa';
import { bullBoardPath } from '../server/operator-paths.ts';
import { listPackageFiles } from './package-file.ts';
import { answerFile, revalidated } from './static-file.ts';

const root = `${bullBoardPath}/static/`;

/** A name with the hash of the content. */
const hashedName = /\.[\da-f]{8,}\.(?:css|js)$/;
/** For a browser alone: only signed-in browsers get the files. */
const privateImmutable = 'private, max-age=31536000, immutable';

/** Serves the files of Bull Board's page, compressed. Browsers keep files with a hash in their name. */
export function serveBullBoardFiles(): Middleware {
  const files = listPackageFiles('@bull-board/ui', 'dist/static');
  return async (ctx, next) => {
    const read = ctx.path.startsWith(root) ? files.get(ctx.path.slice(root.length)) : undefined;
    if (read === undefined) await next();
    else answerFile(ctx, await read(), hashedName.test(ctx.path) ? privateImmutable : revalidated);
  };
}
