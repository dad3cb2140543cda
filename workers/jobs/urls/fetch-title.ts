import type { BlockedHosts } from '../../../src/urls/blocklist/blocklist.ts';
import type { RefreshCache } from '../../../src/urls/cache/refresh.ts';
import { PageUnreadable, type ReadPage } from '../../../src/urls/titles/page-reader.ts';
import { titleOf } from '../../../src/urls/titles/page-title.ts';
import type { TitleStore } from '../../../src/urls/titles/title-store.ts';
import type { JobContext } from '../../job-context.ts';

/** Gives a short URL the title of its page, if it still has none. A page that cannot be read is not tried again. */
export async function fetchTitle(
  deps: {
    titleStore: TitleStore;
    blockedHosts: Pick<BlockedHosts, 'refresh'>;
    readPage: ReadPage;
    refreshCache: RefreshCache;
  },
  id: number,
  { signal }: Pick<JobContext, 'signal'>,
) {
  const { titleStore, blockedHosts, readPage, refreshCache } = deps;
  const url = await titleStore.findUntitled(id);
  if (url === undefined) return { outcome: 'not_needed' };
  await blockedHosts.refresh();
  const page = await readPage(url.originalUrl, signal).catch((error: unknown) => {
    if (error instanceof PageUnreadable) return error.reason;
    throw error;
  });
  if (signal.aborted) return { interrupted: true };
  if (typeof page === 'string') return { outcome: page };
  const title = titleOf(page);
  if (title === undefined) return { outcome: 'no_title' };
  const codes = await titleStore.setTitle(url, title);
  await refreshCache(codes);
  return { outcome: codes.length > 0 ? 'set' : 'changed_meanwhile' };
}
