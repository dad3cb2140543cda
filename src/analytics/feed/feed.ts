import { setImmediate as giveWay, setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../../log.ts';
import type { UrlScope } from '../rollups/scope.ts';
import type { Sql } from '../rollups/scope.ts';
import type { ClickFeedStore, FedClick } from './feed-store.ts';

/** Who reads clicks as they are counted. */
export interface FeedReader {
  scope: UrlScope;
  /** Takes all clicks of its scope that transactions before `next` counted, and that it has not had. */
  take: (clicks: FedClick[], next: bigint) => void;
  /** Resolves once it has room for more. Rejects when it has none for too long. */
  hasRoom: () => Promise<void>;
  /** Aborted once it reads no more. */
  gone: AbortSignal;
}

/** Which clicks a reader gets, and from which transaction on. */
interface Beginning {
  urls: Sql;
  from: bigint;
}

export type ClickFeed = ReturnType<typeof createClickFeed>;

/** Gives clicks that have a row to readers, each once, a moment after they are counted, transaction by transaction. However many
 *  readers there are, one query every `pollMs` looks for new ones; nobody reads, nothing is asked. While a transaction of
 *  the database server that has changed something goes on, clicks that are counted later wait for it: before, nobody knows what it will show. */
export function createClickFeed(deps: { store: ClickFeedStore; pollMs: number; log: Log }) {
  const { store, pollMs, log } = deps;
  /** Those that have had all before `mark`, and from where on each wants more. */
  const live = new Map<FeedReader, bigint>();
  let mark = 0n;
  let polling = false;

  async function poll(): Promise<void> {
    const horizon = await store.findHorizon();
    while (mark < horizon && live.size > 0) {
      const { clicks, next } = await store.findCounted({ from: mark, before: horizon });
      mark = next;
      for (const [reader, from] of live) {
        const isNew = ({ transaction }: FedClick) => transaction >= from;
        reader.take(
          clicks.filter((click) => isNew(click) && isOf(click, reader.scope)),
          next > from ? next : from,
        );
        // A page may be of thousands, and readers many: redirects are answered in between.
        await giveWay();
      }
    }
  }

  async function keepPolling(): Promise<void> {
    polling = true;
    while (live.size > 0) {
      try {
        await poll();
      } catch (error) {
        log.debug({ err: error }, 'counted clicks could not be read; streams go on later');
      }
      await delay(pollMs);
    }
    polling = false;
  }

  /** From here on all readers get the same pages. */
  function goLive(reader: FeedReader, from: bigint): void {
    if (reader.gone.aborted) return;
    if (!polling) mark = from;
    live.set(reader, from);
    reader.gone.addEventListener('abort', () => live.delete(reader));
    if (!polling) void keepPolling();
  }

  return {
    /** Where somebody begins who has had all before a transaction, or has had nothing. Throws UrlNotFound. */
    async begin(scope: UrlScope, wanted: bigint | undefined): Promise<Beginning> {
      const urls = await store.findUrls(scope);
      const horizon = await store.findHorizon();
      return { urls, from: wanted !== undefined && wanted < horizon ? wanted : horizon };
    },

    /** Gives a reader what it has missed, as fast as it reads, and then what is new, until it is gone. Rejects when that cannot be read. */
    async feed(reader: FeedReader, { urls, from }: Beginning): Promise<void> {
      let place = from;
      const horizon = await store.findHorizon();
      const goal = () => (polling && mark > horizon ? mark : horizon);
      while (place < goal() && !reader.gone.aborted) {
        const { clicks, next } = await store.findCounted({ from: place, before: goal() }, urls);
        reader.take(clicks, next);
        place = next;
        await reader.hasRoom();
      }
      // Without a pause since the goal was looked at.
      goLive(reader, place);
    },
  };
}

const isOf = (click: FedClick, { owner, shortCode, tag }: UrlScope) =>
  (owner === null || click.createdBy === owner) &&
  (shortCode === undefined || click.shortCode === shortCode) &&
  (tag === undefined || click.tags.includes(tag));
