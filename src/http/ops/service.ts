import { z } from 'zod';
import { version } from '../../version.ts';
import { pageAnswer } from '../pages/page.ts';
import type { Pages } from '../pages/pages.ts';
import type { PublicHandlers, PublicRoutes } from '../routes/public-route.ts';

export const serviceRoutes = {
  getService: {
    method: 'get',
    path: '/',
    summary: 'Get the service name and version',
    description: 'A browser gets a page for visitors who do not know the service.',
    replies: {
      200: {
        description: 'Name and version, or a page for a browser.',
        body: z.object({ service: z.literal('linkmill'), version: z.string() }),
        content: ['text/html'],
      },
    },
    problems: [],
  },
} as const satisfies PublicRoutes;

export function serviceHandlers({ pages }: { pages: Pages }): PublicHandlers<typeof serviceRoutes> {
  return {
    getService: ({ ctx }) => {
      ctx.vary('Accept');
      const wantsPage = ctx.accepts('json', 'html') === 'html';
      return wantsPage
        ? pageAnswer(200, pages(ctx).home())
        : { status: 200, body: { service: 'linkmill', version } };
    },
  };
}
