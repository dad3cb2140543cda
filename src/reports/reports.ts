import { type HostBlocking, parseBlockedHost } from '../urls/blocklist/service.ts';
import { reachedHosts } from '../urls/input/reached-hosts.ts';
import { UrlNotFound } from '../urls/url.ts';
import type { Urls } from '../urls/urls.ts';
import type { ReportStore } from './report-store.ts';
import { HostNotBlockable, type NewReport, type Report, ReportNotFound } from './report.ts';

/** Actions on the short URL of a report. */
export interface ReportActions {
  disablesUrl: boolean;
  blocksHost: boolean;
}

export type Reports = ReturnType<typeof createReports>;

/** Reports of visitors, and the actions of administrators. */
export function createReports(deps: {
  store: ReportStore;
  urls: Pick<Urls, 'resolve' | 'change'>;
  hostBlocking: Pick<HostBlocking, 'block'>;
}) {
  const { store, urls, hostBlocking } = deps;

  async function disable(shortCode: string): Promise<void> {
    try {
      await urls.change(shortCode, { isActive: false }, null);
    } catch (error) {
      // A deleted short URL does not redirect either.
      if (!(error instanceof UrlNotFound)) throw error;
    }
  }

  /** The host of a report's original URL. Throws HostNotBlockable. */
  function getHost({ originalUrl }: Report): string {
    const host = parseBlockedHost(reachedHosts(originalUrl)[0] ?? '');
    if (host === undefined) throw new HostNotBlockable();
    return host;
  }

  return {
    list: store.list,

    /** Stores a report about an active short URL. Throws the errors of `resolve`. */
    async add(report: Omit<NewReport, 'originalUrl'>): Promise<void> {
      const { originalUrl } = await urls.resolve(report.shortCode, Date.now());
      await store.add({ ...report, originalUrl });
    },

    /** Performs the actions, then closes the report: this order makes a retry safe. Throws ReportNotFound or HostNotBlockable before
     *  any action. */
    async close(id: number, actions: ReportActions, apiKeyId: number): Promise<Report> {
      const report = await store.find(id);
      if (!report) throw new ReportNotFound();
      const host = actions.blocksHost ? getHost(report) : undefined;
      if (actions.disablesUrl) await disable(report.shortCode);
      if (host !== undefined)
        await hostBlocking.block([host], { reason: `report ${id}`, createdBy: apiKeyId });
      return (await store.close(id, apiKeyId)) ?? report;
    },
  };
}
