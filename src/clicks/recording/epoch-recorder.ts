import type { CurrentEpoch } from '../../epoch/epoch.ts';
import type { Log } from '../../log.ts';
import type { ClickDetail } from '../click-detail.ts';
import type { ClickRecorder } from './recorder.ts';
import { addCounts } from './sharded-recorder.ts';

/** How long the recorder of an earlier epoch still accepts clicks of requests that began in it. */
const drainAfterMs = 15_000;

/** Records clicks under the epoch in which their short URL IDs were read. Each epoch gets a new recorder with its own
 *  producer. The previous recorder writes its clicks to PostgreSQL and ends once the requests of its epoch have
 *  ended. */
export function createEpochRecorder(deps: {
  epoch: Pick<CurrentEpoch, 'onChange'>;
  createRecorder: (epoch: string | undefined) => ClickRecorder;
  log: Log;
}): ClickRecorder & {
  /** Returns the recorder of the current epoch. A request that waits between look-up and click keeps the recorder it
   *  began with. */
  current: () => ClickRecorder;
} {
  const { epoch, createRecorder, log } = deps;
  let recorder: ClickRecorder | undefined;
  const earlier = new Map<ClickRecorder, NodeJS.Timeout>();
  /** Final counts of ended recorders. */
  const ended = { recorded: 0, dropped: 0, confirmed: 0 };

  epoch.onChange(({ epoch: id }) => {
    const previous = recorder;
    recorder = createRecorder(id);
    if (!previous) return;
    previous.reportAgain();
    earlier.set(
      previous,
      setTimeout(() => void drainEarlier(previous), drainAfterMs),
    );
  });
  const current = () => (recorder ??= createRecorder(undefined));

  async function drainEarlier(previous: ClickRecorder): Promise<void> {
    try {
      await previous.drain();
    } catch (error) {
      log.error({ err: error }, 'failed to drain the clicks of an earlier epoch');
    }
    earlier.delete(previous);
    const { recorded, dropped, confirmed } = previous.read();
    ended.recorded += recorded;
    ended.dropped += dropped;
    ended.confirmed += confirmed;
  }

  return {
    current,

    reportAgain: () => current().reportAgain(),

    recordThen: (urlId: number, atMs: number, onRecorded: () => void, detail?: ClickDetail) =>
      current().recordThen(urlId, atMs, onRecorded, detail),

    record: async (urlId: number, atMs: number, detail?: ClickDetail) =>
      await current().record(urlId, atMs, detail),

    read() {
      const now = current().read();
      const all = [now, ...[...earlier.keys()].map((recorder) => recorder.read())];
      const { recorded, dropped, confirmed, ...counts } = addCounts(all);
      return {
        ...counts,
        recorded: ended.recorded + recorded,
        dropped: ended.dropped + dropped,
        confirmed: ended.confirmed + confirmed,
        usesRedis: now.usesRedis,
      };
    },

    async drain() {
      for (const timer of earlier.values()) clearTimeout(timer);
      await Promise.all([current(), ...earlier.keys()].map(async (recorder) => await recorder.drain()));
    },
  };
}
