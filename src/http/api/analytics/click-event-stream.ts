import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import type { ClickEvent } from '../../../analytics/feed/feed-store.ts';
import type { ClickFeed, FeedReader } from '../../../analytics/feed/feed.ts';
import type { UrlScope } from '../../../analytics/rollups/scope.ts';
import type { Log } from '../../../log.ts';
import { unavailable } from '../../problems/problem.ts';

/** Buffered bytes up to which a reader gets the next page, which contains all clicks of a transaction: up to some thousand. A reader
 *  with more is disconnected. */
const maxBufferedBytes = 1_000_000;
/** Time limit for a reader to read a page of missed clicks. */
const drainTimeoutMs = 30_000;
/** Proxies close idle connections. */
const heartbeatMs = 15_000;
const checkMs = 1_000;
/** Reconnection delay that clients are asked to keep. */
const retryMs = 2_000;

interface Stream {
  body: PassThrough;
  /** The transaction from which on clicks have not been sent. */
  position: bigint;
  isStillAllowed: () => Promise<boolean>;
}

export type ClickEvents = ReturnType<typeof createClickEvents>;

/** Streams of click events as server-sent events. The last event of each transaction has an ID, so that a client that reconnects with
 *  `Last-Event-ID` misses nothing. Memory is bounded: `maxStreams` streams, each with at most a page and a megabyte of buffer. */
export function createClickEvents(deps: { feed: ClickFeed; maxStreams: number; log: Log }) {
  const { feed, maxStreams, log } = deps;
  const streams = new Set<Stream>();
  const formatEvent = createEventFormatter();
  let isClosed = false;
  const heartbeats = setInterval(beat, heartbeatMs);
  const checks = setInterval(check, checkMs);

  function beat(): void {
    for (const { body, position } of streams) body.write(`: heartbeat\n${idOf(position)}\n`);
  }

  function check(): void {
    for (const { body, isStillAllowed } of streams) {
      isStillAllowed().then(
        (isAllowed) => isAllowed || body.end(),
        (error: unknown) => log.debug({ err: error }, 'failed to check API key of click stream'),
      );
    }
  }

  return {
    /** Number of open streams. */
    get count() {
      return streams.size;
    },

    /** Opens a stream of the clicks in a scope: after an event ID, or from now on. It ends within a second after `isStillAllowed` resolves
     *  to false. Throws UrlNotFound, or a 503 when too many streams are open. */
    async open(
      scope: UrlScope,
      options: { after: bigint | undefined; isStillAllowed: () => Promise<boolean> },
    ): Promise<PassThrough> {
      const { after, isStillAllowed } = options;
      if (isClosed || streams.size >= maxStreams) throw unavailable('Too many click streams are open.', 10);
      const body = new PassThrough();
      const stream = { body, position: 0n, isStillAllowed };
      streams.add(stream);
      const disconnected = new AbortController();
      body.on('close', () => {
        streams.delete(stream);
        disconnected.abort();
      });
      try {
        const beginning = await feed.begin(scope, after === undefined ? undefined : after + 1n);
        stream.position = beginning.from;
        body.write(`retry: ${retryMs}\n${idOf(stream.position)}\n`);
        feed
          .feed(readerOf(stream, { scope, disconnected: disconnected.signal, formatEvent }), beginning)
          .catch((error: unknown) => {
            log.debug({ err: error }, 'click stream failed');
            body.destroy();
          });
        return body;
      } catch (error) {
        body.destroy();
        throw error;
      }
    },

    /** Ends all streams, and rejects new ones. */
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
  {
    scope,
    disconnected,
    formatEvent,
  }: { scope: UrlScope; disconnected: AbortSignal; formatEvent: (click: ClickEvent) => string },
): FeedReader => ({
  scope,
  signal: disconnected,
  push(clicks, next) {
    const { body } = stream;
    if (body.readableLength + body.writableLength > maxBufferedBytes) {
      body.destroy();
      return;
    }
    stream.position = next;
    if (clicks.length > 0 && body.writable)
      body.write(clicks.map((click, i) => formatEvent(click) + endOf(click, clicks[i + 1])).join(''));
  },
  async waitForRoom() {
    if (!stream.body.writableNeedDrain) return;
    await once(stream.body, 'drain', {
      signal: AbortSignal.any([disconnected, AbortSignal.timeout(drainTimeoutMs)]),
    });
  },
});

/** The event ID of a client that has received everything before this transaction. */
const idOf = (position: bigint) => `id: ${position - 1n}\n`;

/** Formats the event of a click without its end, once for all readers. */
function createEventFormatter() {
  const texts = new WeakMap<ClickEvent, string>();
  return (click: ClickEvent): string => {
    const text = texts.get(click) ?? `event: click\ndata: ${JSON.stringify(presentClick(click))}\n`;
    texts.set(click, text);
    return text;
  };
}

/** Only the last event of a transaction has an ID: a client that received a part of it gets all of it again. */
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
