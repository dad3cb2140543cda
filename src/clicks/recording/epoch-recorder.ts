import type { CurrentEpoch } from '../../epoch/epoch.ts';
import type { Log } from '../../log.ts';
import type { ClickDetail } from '../click-detail.ts';
import type { ClickRecorder } from './recorder.ts';

/** How long a recorder of an earlier epoch still takes the clicks of requests that began in it. */
const lateClicksMs = 15_000;

export type EpochRecorder = ReturnType<typeof createEpochRecorder>;

/** Records clicks under the epoch in which their ids were read: at each change of the epoch a new recorder, with a producer of
 *  its own, takes over. The one before takes what it has to PostgreSQL, and ends once no request of its epoch is left. */
export function createEpochRecorder(deps: {
  epoch: Pick<CurrentEpoch, 'onChange'>;
  createRecorder: (epoch: string | undefined) => ClickRecorder;
  log: Log;
}): ClickRecorder & {
  /** The recorder of the present epoch: what waits between a look-up and its click records with the one it began with. */
  current: () => ClickRecorder;
} {
  const { epoch, createRecorder, log } = deps;
  let recorder: ClickRecorder | undefined;
  const earlier = new Map<ClickRecorder, NodeJS.Timeout>();
  /** What recorders that have ended had read last. */
  const ended = { recorded: 0, dropped: 0, confirmed: 0 };

  epoch.onChange(({ epoch: id }) => {
    const before = recorder;
    recorder = createRecorder(id);
    if (!before) return;
    before.reportAgain();
    earlier.set(
      before,
      setTimeout(() => void drainEarlier(before), lateClicksMs),
    );
  });
  const current = () => (recorder ??= createRecorder(undefined));

  async function drainEarlier(one: ClickRecorder): Promise<void> {
    try {
      await one.drain();
    } catch (error) {
      log.error({ err: error }, 'failed to drain the clicks of an earlier epoch');
    }
    earlier.delete(one);
    const { recorded, dropped, confirmed } = one.read();
    ended.recorded += recorded;
    ended.dropped += dropped;
    ended.confirmed += confirmed;
  }

  return {
    current,

    get producer() {
      return current().producer;
    },

    reportAgain: () => current().reportAgain(),

    recordThen: (urlId: number, atMs: number, answer: () => void, detail?: ClickDetail) =>
      current().recordThen(urlId, atMs, answer, detail),

    record: async (urlId: number, atMs: number, detail?: ClickDetail) =>
      await current().record(urlId, atMs, detail),

    read() {
      const { toRedis, ...now } = current().read();
      const all = [now, ...[...earlier.keys()].map((one) => one.read())];
      const sum = (pick: (one: typeof now) => number) => all.reduce((total, one) => total + pick(one), 0);
      return {
        recorded: ended.recorded + sum(({ recorded }) => recorded),
        dropped: ended.dropped + sum(({ dropped }) => dropped),
        confirmed: ended.confirmed + sum(({ confirmed }) => confirmed),
        unconfirmed: sum(({ unconfirmed }) => unconfirmed),
        oldestMs: Math.max(...all.map(({ oldestMs }) => oldestMs)),
        toRedis,
      };
    },

    async drain() {
      for (const timer of earlier.values()) clearTimeout(timer);
      await Promise.all([current(), ...earlier.keys()].map(async (one) => await one.drain()));
    },
  };
}
