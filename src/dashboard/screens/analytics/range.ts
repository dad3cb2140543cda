import { computed } from '@preact/signals';
import { query } from '../../routing/router.ts';
import { chartZone } from '../../state/preferences.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
export const dimensions = ['country', 'referrer', 'browser', 'os', 'device', 'bot_kind'] as const;
export type Dimension = (typeof dimensions)[number];

/** The time zone of days and hours. */
export const zone = computed(() =>
  chartZone.value === 'UTC' ? 'UTC' : Intl.DateTimeFormat().resolvedOptions().timeZone,
);

export const days = computed(() => Number(query.value.get('days')) || 30);

const dayOf = (ms: number) => new Intl.DateTimeFormat('en-CA', { timeZone: zone.value }).format(ms);

/** The filter of the analytics, from the address. */
export const filters = computed(() => {
  const given = dimensions.flatMap((name) => {
    const value = query.value.get(name);
    return value === null ? [] : [[name, value === '-' ? '' : value] as const];
  });
  const chosen: Partial<Record<Dimension, string>> = Object.fromEntries(given);
  return chosen;
});

export const interval = computed(() => (days.value === 1 ? 'hour' : days.value > 120 ? 'week' : 'day'));

/** The parameters that all queries of a screen share. Without `to`, a range ends with today. */
export const rangeQuery = computed(() => {
  const hour = Math.floor(Date.now() / hourMs) * hourMs;
  const day = {
    from: new Date(hour + hourMs - dayMs).toISOString(),
    to: new Date(hour + hourMs).toISOString(),
  };
  return {
    ...(days.value === 1 ? day : { from: dayOf(Date.now() - (days.value - 1) * dayMs) }),
    timezone: zone.value,
    bots: query.value.get('bots') ?? undefined,
  };
});

/** Creating a formatter takes longer than the names of a whole chart. */
const groupFormat = computed(
  () =>
    new Intl.DateTimeFormat(undefined, {
      ...(interval.value === 'hour'
        ? { hour: '2-digit', minute: '2-digit' }
        : { day: 'numeric', month: 'short' }),
      timeZone: zone.value,
    }),
);

/** The name of a time group, such as "12 Nov" or "14:00". */
export const labelOf = (time: string): string => groupFormat.value.format(new Date(time));
