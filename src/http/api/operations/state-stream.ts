import { PassThrough } from 'node:stream';
import type { Log } from '../../../log.ts';
import { createPoller } from '../../../resilience/poller.ts';
import { unavailable } from '../../problems/problem.ts';
import type { ReadServiceState } from './read-state.ts';

const everyMs = 2_000;
const maxStreams = 50;
/** A reader that has not taken this much is disconnected: about ten events. */
const maxBufferedBytes = 256_000;

interface Stream {
  body: PassThrough;
  isStillAllowed: () => Promise<boolean>;
}

export type StateStreams = ReturnType<typeof createStateStreams>;

/** Streams of the state of the service as server-sent events, at once and then every 2 s. All streams share one reading. */
export function createStateStreams({ readState, log }: { readState: ReadServiceState; log: Log }) {
  const streams = new Set<Stream>();
  let isClosed = false;
  const poller = createPoller({
    everyMs,
    run: sendAll,
    onFailure: (error) => log.debug({ err: error }, 'failed to send the state of the service'),
  });

  async function sendAll(): Promise<void> {
    if (streams.size === 0) return;
    const event = await readEvent();
    await Promise.all([...streams].map(async (stream) => await sendTo(stream, event)));
  }

  const readEvent = async () => `event: state\ndata: ${JSON.stringify(await readState())}\n\n`;

  async function sendTo({ body, isStillAllowed }: Stream, event: string): Promise<void> {
    // While PostgreSQL is away, the last answer stays valid.
    if (!(await isStillAllowed().catch(() => true))) body.end();
    else if (body.readableLength + body.writableLength > maxBufferedBytes) body.destroy();
    else if (body.writable) body.write(event);
  }

  return {
    /** Opens a stream, which ends within 2 s after `isStillAllowed` resolves to false. Throws a 503 when too many streams are open. */
    async open(isStillAllowed: () => Promise<boolean>): Promise<PassThrough> {
      if (isClosed || streams.size >= maxStreams) throw unavailable('Too many streams are open.', 10);
      const stream = { body: new PassThrough(), isStillAllowed };
      streams.add(stream);
      stream.body.on('close', () => void streams.delete(stream));
      stream.body.write(`retry: ${everyMs}\n\n${await readEvent()}`);
      return stream.body;
    },

    /** Ends all streams, and rejects new ones. */
    close(): void {
      isClosed = true;
      void poller.stop();
      for (const { body } of streams) body.end();
    },
  };
}
