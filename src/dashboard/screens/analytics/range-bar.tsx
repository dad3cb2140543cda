import { query, setQuery } from '../../routing/router.ts';
import { chartZone } from '../../state/preferences.ts';
import { chartTexts as texts } from '../../texts/en/charts.ts';
import { Choice } from '../../ui/field.tsx';
import { Icon } from '../../ui/icons.tsx';
import { nameOf } from './names.ts';
import { type Dimension, filters } from './range.ts';

const zoneName = Intl.DateTimeFormat().resolvedOptions().timeZone;
const ranges = ['1', '7', '', '90', '365'] as const;

/** Range, bots, time zone and filters of a screen with analytics. */
export const RangeBar = () => (
  <div class="range-bar">
    <Choice
      label={texts.range}
      value={query.value.get('days') ?? ''}
      options={ranges.map((days) => [days, texts.ranges[days]] as const)}
      onChange={(days) => setQuery({ days })}
    />
    <Choice
      label={texts.bots}
      value={query.value.get('bots') ?? ''}
      options={Object.entries(texts.botChoices)}
      onChange={(bots) => setQuery({ bots })}
    />
    {zoneName !== 'UTC' && (
      <Choice
        label={texts.zone}
        value={chartZone.value === 'UTC' ? 'UTC' : ''}
        options={[
          ['', texts.zones.local(zoneName)],
          ['UTC', texts.zones.utc],
        ]}
        onChange={(zone) => (chartZone.value = zone === 'UTC' ? 'UTC' : 'local')}
      />
    )}
    {Object.entries(filters.value).map(([name, value]) => (
      <button
        key={name}
        type="button"
        class="small chosen"
        aria-label={texts.removeFilter(nameOf(name as Dimension, value))}
        onClick={() => setQuery({ [name]: undefined })}
      >
        {texts.panels[name as Dimension]}: {nameOf(name as Dimension, value)}
        <Icon name="close" />
      </button>
    ))}
  </div>
);
