import { useEffect, useRef, useState } from 'preact/hooks';
import { type Click, type ClickScope, type FeedState, followClicks } from './feed.ts';

export const shownSeconds = 60;
const maxEvents = 200;
const tickMs = 250;
const ticksPerSecond = 4;

export interface LiveClicks {
  /** Clicks per second of the last minute, the current second last. */
  seconds: number[];
  /** The latest events first. */
  events: (Click & { key: number })[];
  /** Events that arrived while the list is paused. */
  waiting: number;
  state: FeedState;
}

const emptyMinute = () => Array.from({ length: shownSeconds }, () => 0);

/** The clicks of the last minute. Paused, the list stays as it is, and the rate goes on. */
export function useClicks({ tag, shortCode }: ClickScope, isPaused: boolean): LiveClicks {
  const [live, setLive] = useState<LiveClicks>({
    seconds: emptyMinute(),
    events: [],
    waiting: 0,
    state: 'connecting',
  });
  const held = useRef<LiveClicks['events']>([]);
  const paused = useRef(isPaused);
  paused.current = isPaused;

  useEffect(() => {
    let key = 0;
    setLive({ seconds: emptyMinute(), events: [], waiting: 0, state: 'connecting' });
    held.current = [];
    // Clicks of one tick change the page once: hundreds a second can arrive.
    let counted = 0;
    let ticks = 0;
    const flush = () => {
      ticks += 1;
      const beginsSecond = ticks % ticksPerSecond === 0;
      if (!beginsSecond && counted === 0) return;
      const isHeld = paused.current;
      const arrived = isHeld ? [] : held.current.splice(0).toReversed();
      const added = counted;
      counted = 0;
      setLive((before) => ({
        ...before,
        seconds: beginsSecond
          ? [...before.seconds.slice(1), added]
          : [...before.seconds.slice(0, -1), before.seconds.at(-1)! + added],
        events: arrived.length === 0 ? before.events : [...arrived, ...before.events].slice(0, maxEvents),
        waiting: isHeld ? held.current.length : 0,
      }));
    };
    const timer = setInterval(flush, tickMs);
    const stop = followClicks(
      { tag, shortCode },
      {
        click: (click) => {
          key += 1;
          counted += click.clicks;
          held.current.push({ ...click, key });
          if (held.current.length > maxEvents) held.current.shift();
          setLive((before) => (before.state === 'open' ? before : { ...before, state: 'open' }));
        },
        state: (state) => setLive((before) => ({ ...before, state })),
      },
    );
    return () => {
      clearInterval(timer);
      stop();
    };
  }, [tag, shortCode]);
  return live;
}
