import { get } from '../../api/client.ts';
import type { Metrics } from '../../api/types.ts';
import { type Query, useQuery } from '../../api/use-query.ts';
import { Bars } from '../../charts/bars.tsx';
import { HeatMap } from '../../charts/heat-map.tsx';
import { TimeChart } from '../../charts/time-chart.tsx';
import { setQuery } from '../../routing/router.ts';
import { service } from '../../state/service.ts';
import { chartTexts as texts } from '../../texts/en/charts.ts';
import { formatNumber, formatPercent } from '../../ui/format.ts';
import { ProblemNote } from '../../ui/screen.tsx';
import { nameOf } from './names.ts';
import { days, type Dimension, dimensions, filters, interval, labelOf, rangeQuery } from './range.ts';

/** Whose clicks are shown: one short URL, those with a tag, or all. */
export interface Scope {
  code?: string;
  tag?: string | undefined;
}

const maxRows = 8;

/** Loads aggregated clicks of a scope. */
function useMetrics(
  scope: Scope,
  more: Record<string, string | number | undefined>,
  everyMs?: number,
): Query<Metrics> {
  const all = { ...rangeQuery.value, ...filters.value, ...more };
  return useQuery(
    JSON.stringify([scope, all]),
    async (signal) =>
      scope.code === undefined
        ? await get('/api/v1/analytics', { query: { ...all, tag: scope.tag }, signal })
        : await get('/api/v1/urls/{short_code}/analytics', {
            params: { short_code: scope.code },
            query: all,
            signal,
          }),
    everyMs,
  );
}

/** How many clicks, when, and how that compares with the range before. */
export function ClicksChart({ scope }: { scope: Scope }) {
  const { data, problem, reload } = useMetrics(scope, {
    group_by: 'time',
    interval: interval.value,
    compare: 'previous',
  });
  const range = texts.ranges[String(days.value === 30 ? '' : days.value) as keyof typeof texts.ranges] ?? '';
  return (
    <section class="panel chart-panel" aria-label={texts.clicksOver(range)} aria-busy={data === undefined}>
      {problem && <ProblemNote problem={problem} onRetry={reload} />}
      {data && (
        <>
          <div class="totals">
            <div>
              <span class="total">{formatNumber(data.clicks)}</span> <span class="quiet">{texts.total}</span>
            </div>
            <Change now={data.clicks} before={data.previous?.clicks ?? 0} />
          </div>
          <TimeChart
            title={texts.clicksOver(range)}
            points={data.groups.map(({ name, clicks }) => ({ label: labelOf(name), value: clicks }))}
          />
          <p class="chart-note quiet">
            {texts.exact(texts.sources[data.source])}
            {data.clicks_without_row > 0 && ` ${texts.withoutRow(formatNumber(data.clicks_without_row))}`}
          </p>
        </>
      )}
    </section>
  );
}

function Change({ now, before }: { now: number; before: number }) {
  if (before === 0) return <span class="quiet">{texts.noChange}</span>;
  const change = now / before - 1;
  const sign = change > 0 ? '+' : change < 0 ? '−' : '±';
  return (
    <span class="quiet">
      <span class={change < 0 ? 'badge is-bad' : 'badge is-good'}>
        {sign}
        {formatPercent(Math.abs(change))}
      </span>{' '}
      {texts.change('').trim()}
    </span>
  );
}

function DimensionPanel({ scope, name }: { scope: Scope; name: Dimension }) {
  const { data, problem } = useMetrics(scope, { group_by: name, limit: maxRows });
  const chosen = filters.value[name];
  return (
    <section class="panel" aria-busy={data === undefined}>
      <h2>{texts.panels[name]}</h2>
      {problem && <p class="is-error">{problem.message}</p>}
      {data && (
        <Bars
          label={texts.panels[name]}
          total={data.clicks}
          bars={data.groups.map((group) => ({
            key: group.name,
            name: nameOf(name, group.name),
            value: group.clicks,
          }))}
          chosen={chosen}
          onChoose={
            // A filter reads click events.
            service.value?.features.click_events === false
              ? undefined
              : (value) => setQuery({ [name]: value === undefined ? undefined : value || '-' })
          }
        />
      )}
      {data && data.other > 0 && (
        <p class="quiet">
          {texts.other}: {formatNumber(data.other)}
        </p>
      )}
    </section>
  );
}

function HoursPanel({ scope }: { scope: Scope }) {
  const { data } = useMetrics(scope, { group_by: 'hour_of_week' });
  return (
    <section class="panel is-wide" aria-busy={data === undefined}>
      <h2>{texts.heatMap}</h2>
      {data && (
        <HeatMap
          label={texts.heatMap}
          values={new Map(data.groups.map(({ name, clicks }) => [name, clicks]))}
        />
      )}
    </section>
  );
}

/** Where clicks come from, and when. A row filters everything on the screen. */
export function Panels({ scope }: { scope: Scope }) {
  if (service.value?.click_detail === 'count') return <p class="note">{texts.detailOff}</p>;
  return (
    <div class="panels">
      {dimensions.map((name) => (
        <DimensionPanel key={name} scope={scope} name={name} />
      ))}
      <HoursPanel scope={scope} />
    </div>
  );
}
