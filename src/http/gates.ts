import type { Context } from 'koa';
import type { CachedUrl, Gate } from '../urls/cache-entry.ts';
import { UrlNotFound } from '../urls/url.ts';

/** A visit to a short URL that has a gate, by GET, HEAD or POST; it has begun and has not expired. */
export interface GatedVisit {
  shortCode: string;
  url: CachedUrl;
  gate: Gate;
  /** Milliseconds since 1970. */
  now: number;
}

export type Gates = ReturnType<typeof createGates>;

/** What stands between visitors and short URLs that have a gate. */
export function createGates() {
  return {
    /** Answers a visit. */
    async answer(_ctx: Context, { shortCode }: GatedVisit): Promise<void> {
      throw new UrlNotFound(`nothing opens the gate of ${shortCode}`);
    },
  };
}
