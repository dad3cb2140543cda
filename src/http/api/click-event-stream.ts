import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import type { ClickEvent } from '../../analytics/feed/feed-store.ts';
import type { ClickFeed, FeedReader } from '../../analytics/feed/feed.ts';
import type { UrlScope } from '../../analytics/rollups/scope.ts';
import type { Log } from '../../log.ts';
import { unavailable } from '../problems/problem.ts';

/** What may wait for a reader before it is given the next page, which has up to some thousand clicks: all of one transaction. Who reads
 *  more slowly than clicks come is dropped. */
const maxWaitingBytes = 1_000_000;
/** How long a reader may take to read what it has missed, page by page. */
const patienceMs = 30_000;
/** A proxy in between may give up a silent connection. */
const heartbeatMs = 15_000;
const checkMs = 1_000;
/** After how long a client is to come back. */
const retryMs = 2_000;

interface Stream {
  body: PassThrough;
  /** All transactions before it have been sent, or had nothing. */
  place: bigint;
  isStillAllowed: () => Promise<boolean>;
}

export type ClickEvents = ReturnType<typeof createClickEvents>;

/** Streams of clicks as server-sent events. Each has an id at the end of a transaction: whoever comes back with the last one has
 *  missed nothing. For each of them a page and a megabyte may wait, and they are `maxStreams`. */
export function createClickEvents(deps: { feed: ClickFeed; maxStreams: number; log: Log }) {
  const { feed, maxStreams, log } = deps;
  const streams = new Set<Stream>();
  const eventOf = createEventTexts();
  let isClosed = false;
  const heartbeats = setInterval(beat, heartbeatMs);
  const checks = setInterval(check, checkMs);

  function beat(): void {
    for (const { body, place } of streams) body.write(`: still here\n${idOf(place)}\n`);
  }

  function check(): void {
    for (const { body, isStillAllowed } of streams) {
      isStillAllowed().then(
        (isAllowed) => isAllowed || body.end(),
        (error: unknown) => log.debug({ err: error }, 'the API key of a stream could not be checked'),
      );
    }
  }

  return {
    /** How many are open. */
    get count() {
      return streams.size;
    },

    /** A stream of a scope's clicks: those after an event's id, or from now on. It ends soon once `isStillAllowed` says no. Throws
     *  UrlNotFound, and a 503 when too many are open. */
    async open(
      scope: UrlScope,
      options: { after: bigint | undefined; isStillAllowed: () => Promise<boolean> },
    ): Promise<PassThrough> {
      const { after, isStillAllowed } = options;
      if (isClosed || streams.size >= maxStreams)
        throw unavailable('Too many streams of clicks are open.', 10);
      const body = new PassThrough();
      const stream = { body, place: 0n, isStillAllowed };
      streams.add(stream);
      const gone = new AbortController();
      body.on('close', () => {
        streams.delete(stream);
        gone.abort();
      });
      try {
        const beginning = await feed.begin(scope, after === undefined ? undefined : after + 1n);
        stream.place = beginning.from;
        body.write(`retry: ${retryMs}\n${idOf(stream.place)}\n`);
        feed
          .feed(readerOf(stream, { scope, gone: gone.signal, eventOf }), beginning)
          .catch((error: unknown) => {
            log.debug({ err: error }, 'a stream of clicks ends early');
            body.destroy();
          });
        return body;
      } catch (error) {
        body.destroy();
        throw error;
      }
    },

    /** Ends all of them, and opens no more. */
    close(): void {
      isClosed = true;
      clearInterval(heartbeats);
      clearInterval(checks);
      for (const { body } of streams) body.end();
    },
  };
}

const readerOf = (
  stream: Stream,
  { scope, gone, eventOf }: { scope: UrlScope; gone: AbortSignal; eventOf: (click: ClickEvent) => string },
): FeedReader => ({
  scope,
  signal: gone,
  push(clicks, next) {
    const { body } = stream;
    if (body.readableLength + body.writableLength > maxWaitingBytes) {
      body.destroy();
      return;
    }
    stream.place = next;
    if (clicks.length > 0 && body.writable)
      body.write(clicks.map((click, i) => eventOf(click) + endOf(click, clicks[i + 1])).join(''));
  },
  async waitForRoom() {
    if (!stream.body.writableNeedDrain) return;
    await once(stream.body, 'drain', { signal: AbortSignal.any([gone, AbortSignal.timeout(patienceMs)]) });
  },
});

/** Whoever has all transactions before this one has had this id. */
const idOf = (place: bigint) => `id: ${place - 1n}\n`;

/** Writes the event of a click, but for its end, once for all readers of it. */
function createEventTexts() {
  const texts = new WeakMap<ClickEvent, string>();
  return (click: ClickEvent): string => {
    const text = texts.get(click) ?? `event: click\ndata: ${JSON.stringify(presentClick(click))}\n`;
    texts.set(click, text);
    return text;
  };
}

/** A transaction that is sent in part is sent again in full: its last event alone has its id. */
const endOf = ({ transaction }: ClickEvent, next: ClickEvent | undefined) =>
  next?.transaction === transaction ? '\n' : `id: ${transaction}\n\n`;

const presentClick = ({
  shortCode,
  at,
  clicks,
  isBot,
  botKind,
  country,
  referrer,
  browser,
  os,
  device,
}: ClickEvent) => ({
  short_code: shortCode,
  at: at.toISOString(),
  clicks,
  is_bot: isBot,
  bot_kind: botKind,
  country,
  referrer,
  browser,
  os,
  device,
});
