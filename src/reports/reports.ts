import { type HostBlocking, parseBlockedHost } from '../urls/blocklist/service.ts';
import { reachedHosts } from '../urls/input/reached-hosts.ts';
import { UrlNotFound } from '../urls/url.ts';
import type { Urls } from '../urls/urls.ts';
import type { ReportStore } from './report-store.ts';
import { HostNotBlockable, type NewReport, type Report, ReportNotFound } from './report.ts';

/** What is done about a reported short URL besides. */
export interface Measures {
  disablesUrl: boolean;
  blocksHost: boolean;
}

export type Reports = ReturnType<typeof createReports>;

/** What visitors report, and what administrators do about it. */
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
      // What is gone leads nowhere either.
      if (!(error instanceof UrlNotFound)) throw error;
    }
  }

  /** The host that a reported short URL led to. Throws HostNotBlockable. */
  function getHost({ originalUrl }: Report): string {
    const host = parseBlockedHost(reachedHosts(originalUrl)[0] ?? '');
    if (host === undefined) throw new HostNotBlockable('the host is none that can be blocked');
    return host;
  }

  return {
    list: store.list,

    /** Stores what a visitor reports about a short URL that leads somewhere. Throws what resolving it does. */
    async add(report: Omit<NewReport, 'originalUrl'>): Promise<void> {
      const { originalUrl } = await urls.resolve(report.shortCode, Date.now());
      await store.add({ ...report, originalUrl });
    },

    /** Takes measures and closes the report: in this order, so that both can be asked for again. Throws ReportNotFound, or
     *  HostNotBlockable, and does nothing then. */
    async close(id: number, measures: Measures, apiKeyId: number): Promise<Report> {
      const report = await store.find(id);
      if (!report) throw new ReportNotFound('no such report');
      const host = measures.blocksHost ? getHost(report) : undefined;
      if (measures.disablesUrl) await disable(report.shortCode);
      if (host !== undefined)
        await hostBlocking.block([host], { reason: `report ${id}`, createdBy: apiKeyId });
      return (await store.close(id, apiKeyId)) ?? report;
    },
  };
}
