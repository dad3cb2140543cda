import { useState } from 'preact/hooks';
import { ticksTo } from '../../charts/scale.ts';
import { Events } from '../../live/events.tsx';
import { isShared } from '../../live/feed.ts';
import { type LiveClicks, shownSeconds, useClicks } from '../../live/use-clicks.ts';
import { query, setQuery } from '../../routing/router.ts';
import { liveTexts as texts } from '../../texts/en/live.ts';
import { formatNumber } from '../../ui/format.ts';
import { Icon } from '../../ui/icons.tsx';
import { Screen } from '../../ui/screen.tsx';
import { TagChoice } from '../analytics/tag-choice.tsx';

/** Clicks as they are counted. */
export function LiveScreen() {
  const tag = query.value.get('tag') ?? undefined;
  const text = (query.value.get('code') ?? '').toLowerCase();
  const [isPaused, setPaused] = useState(false);
  const live = useClicks({ tag }, isPaused);
  const events = live.events.filter(({ short_code: code }) => code.toLowerCase().includes(text));
  return (
    <Screen
      title={texts.title}
      actions={
        <div class="range-bar">
          <TagChoice />
          <input
            class="code-filter"
            type="search"
            aria-label={texts.filter}
            placeholder={texts.filter}
            value={query.value.get('code') ?? ''}
            onInput={(event) => setQuery({ code: event.currentTarget.value }, true)}
          />
          <button type="button" class="small" aria-pressed={isPaused} onClick={() => setPaused(!isPaused)}>
            <Icon name={isPaused ? 'play' : 'pause'} />
            {isPaused ? texts.resume : texts.pause}
            {isPaused && live.waiting > 0 && (
              <span class="badge">{texts.waiting(formatNumber(live.waiting))}</span>
            )}
          </button>
        </div>
      }
    >
      {live.state === 'lost' && <p class="note is-problem">{texts.lost}</p>}
      <Rate seconds={live.seconds} state={live.state} />
      <Events events={events} />
    </Screen>
  );
}

const noteOf = (state: LiveClicks['state']) => {
  if (state === 'connecting') return texts.connecting;
  return state === 'open' && isShared ? texts.shared : '';
};

function Rate({ seconds, state }: Pick<LiveClicks, 'seconds' | 'state'>) {
  const sum = seconds.reduce((total, value) => total + value, 0);
  const top = ticksTo(Math.max(...seconds), 3).at(-1)!;
  return (
    <section class="panel" aria-label={texts.rate}>
      <div class="totals">
        <div>
          <span class="total">{formatNumber(seconds.at(-1)!)}</span> <span class="quiet">{texts.now}</span>
        </div>
        <span class="quiet">
          <strong>{formatNumber(sum)}</strong> {texts.lastMinute}
        </span>
        <span class="grow" />
        <span class="quiet">{noteOf(state)}</span>
      </div>
      <svg
        class="rate"
        viewBox={`0 0 ${shownSeconds * 12} 72`}
        preserveAspectRatio="none"
        role="img"
        aria-label={texts.rate}
      >
        {seconds.map((value, i) => {
          const height = value === 0 ? 1 : 70 * (value / top) + 2;
          return <rect key={i} x={i * 12 + 1} y={72 - height} width={10} height={height} rx={1} />;
        })}
      </svg>
    </section>
  );
}
