import { addressOf } from '../api/client.ts';

/** A click event of `GET /api/v1/clicks/stream`. */
export interface Click {
  short_code: string;
  at: string;
  clicks: number;
  is_bot: boolean;
  bot_kind: string | null;
  country: string;
  referrer: string;
  browser: string;
  os: string;
  device: string;
}

export type FeedState = 'connecting' | 'open' | 'lost';

/** What tabs tell each other; `ask` asks the leading tab for its state. */
type Message = { click: Click } | { state: FeedState } | { ask: true };

/** Whether the tabs of this browser share a stream. Web Locks exist in secure contexts only: over plain HTTP each tab has its own stream,
 *  and tells the others nothing. */
export const isShared = 'locks' in navigator;

/** Which clicks: of all links, of those with a tag, or of one link, with those on its aliases, by its current short code. */
export interface ClickScope {
  tag?: string | undefined;
  shortCode?: string | undefined;
}

/** Follows clicks until the returned function is called. All tabs of a browser share one stream per scope: over HTTP/1.1 a browser opens at
 *  most six connections to a host. The tab that holds the lock reads the stream, and tells the others. A hidden tab gives the lock away. */
export function followClicks(
  scope: ClickScope,
  on: { click: (click: Click) => void; state: (state: FeedState) => void },
): () => void {
  const address = addressOf('/api/v1/clicks/stream', { tag: scope.tag, short_code: scope.shortCode });
  // The lock and the channel of this scope.
  const name = `linkmill ${address}`;
  const channel = new BroadcastChannel(name);
  let turn: AbortController | undefined;
  /** The state of the stream of this tab, while it leads. */
  let leads: FeedState | undefined;

  const post = (message: Message) => {
    // A channel has no target origin: it belongs to this one.
    // oxlint-disable-next-line unicorn/require-post-message-target-origin
    if (isShared) channel.postMessage(message);
  };
  const receive = (message: Message) => {
    if ('click' in message) on.click(message.click);
    else if ('state' in message) on.state(message.state);
    else if (leads !== undefined) post({ state: leads });
  };
  const tell = (message: Message) => {
    if ('state' in message) leads = message.state;
    receive(message);
    post(message);
  };
  channel.addEventListener('message', ({ data }: MessageEvent<Message>) => receive(data));

  function begin() {
    const mine = new AbortController();
    turn = mine;
    on.state('connecting');
    post({ ask: true });
    const lead = async () => {
      const stream = openStream(address, tell);
      await new Promise<void>((resolve) => mine.signal.addEventListener('abort', () => resolve()));
      stream.close();
      leads = undefined;
    };
    const leading = isShared ? navigator.locks.request(name, { signal: mine.signal }, lead) : lead();
    // `end` aborts the wait for the lock; anything else means that this tab gets no clicks.
    leading.catch(() => {
      if (!mine.signal.aborted) on.state('lost');
    });
  }
  const end = () => {
    turn?.abort();
    turn = undefined;
  };
  const onVisibility = () => {
    if (document.hidden) end();
    else if (turn === undefined) begin();
  };
  document.addEventListener('visibilitychange', onVisibility);
  onVisibility();

  return () => {
    document.removeEventListener('visibilitychange', onVisibility);
    end();
    channel.close();
  };
}

function openStream(address: string, tell: (message: Message) => void): EventSource {
  const stream = new EventSource(address);
  stream.addEventListener('open', () => tell({ state: 'open' }));
  stream.addEventListener('error', () => tell({ state: 'lost' }));
  stream.addEventListener('click', (event) =>
    tell({ click: JSON.parse((event as unknown as MessageEvent<string>).data) as Click }),
  );
  return stream;
}
