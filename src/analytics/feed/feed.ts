import { setImmediate as yieldToEventLoop, setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../../log.ts';
import type { UrlScope } from '../rollups/scope.ts';
import type { Sql } from '../rollups/scope.ts';
import type { ClickFeedStore, ClickEvent } from './feed-store.ts';

/** A client that receives click events as they are counted. */
export interface FeedReader {
  scope: UrlScope;
  /** Receives all new events of its scope from transactions before `next`. */
  push: (clicks: ClickEvent[], next: bigint) => void;
  /** Resolves once the reader can receive more. Rejects when that takes too long. */
  waitForRoom: () => Promise<void>;
  /** Aborted when the reader has disconnected. */
  signal: AbortSignal;
}

/** The short URLs and the first transaction of a reader. */
interface StartPosition {
  urls: Sql;
  from: bigint;
}

/** What a reader wants of each page. */
interface Wanted {
  from: bigint;
  /** The short URL that its code or alias had at its start. */
  urlId: unknown;
}

export type ClickFeed = ReturnType<typeof createClickFeed>;

/** Delivers each click event to its readers once, shortly after it is counted, in the order of transactions. One
 *  query per `pollMs` serves all readers; without readers there is none. An open transaction that has written
 *  anything on the database server delays later events, because its own events are not visible yet. */
export function createClickFeed(deps: { store: ClickFeedStore; pollMs: number; log: Log }) {
  const { store, pollMs, log } = deps;
  /** Readers that have received everything before `position`, and what each of them wants. */
  const live = new Map<FeedReader, Wanted>();
  let position = 0n;
  let polling = false;

  async function poll(): Promise<void> {
    const horizon = await store.findHorizon();
    while (position < horizon && live.size > 0) {
      const { clicks, next } = await store.findEvents({ from: position, before: horizon });
      position = next;
      for (const [reader, wanted] of live) {
        const { from } = wanted;
        reader.push(
          clicks.filter((click) => isWanted(click, reader.scope, wanted)),
          next > from ? next : from,
        );
        // A page may have thousands of events, and readers may be many: let redirects run in between.
        await yieldToEventLoop();
      }
    }
  }

  async function pollRepeatedly(): Promise<void> {
    polling = true;
    while (live.size > 0) {
      try {
        await poll();
      } catch (error) {
        log.debug({ err: error }, 'failed to read click events, retrying');
      }
      await delay(pollMs);
    }
    polling = false;
  }

  /** Adds a reader to those that share each page. */
  function goLive(reader: FeedReader, wanted: Wanted): void {
    if (reader.signal.aborted) return;
    if (!polling) position = wanted.from;
    live.set(reader, wanted);
    reader.signal.addEventListener('abort', () => live.delete(reader));
    if (!polling) void pollRepeatedly();
  }

  return {
    /** Returns the start position of a reader: the given transaction, or the present. Throws UrlNotFound. */
    async begin(scope: UrlScope, after: bigint | undefined): Promise<StartPosition> {
      const urls = await store.findUrls(scope);
      const horizon = await store.findHorizon();
      return { urls, from: after !== undefined && after < horizon ? after : horizon };
    },

    /** Sends a reader the events it missed, as fast as it reads, and then new events until it disconnects. Rejects
     *  when the missed events cannot be read. */
    async feed(reader: FeedReader, { urls, from }: StartPosition): Promise<void> {
      let next = from;
      const horizon = await store.findHorizon();
      const target = () => (polling && position > horizon ? position : horizon);
      while (next < target() && !reader.signal.aborted) {
        const page = await store.findEvents({ from: next, before: target() }, urls);
        reader.push(page.clicks, page.next);
        next = page.next;
        await reader.waitForRoom();
      }
      // Synchronous since the target was read, so that no event is lost in between.
      goLive(reader, { from: next, urlId: urls.bindings['urlId'] });
    },
  };
}

const isWanted = (click: ClickEvent, { owner, tag }: UrlScope, { from, urlId }: Wanted) =>
  click.transaction >= from &&
  (owner === null || click.createdBy === owner) &&
  (urlId === undefined || click.urlId === urlId) &&
  (tag === undefined || click.tags.includes(tag));
