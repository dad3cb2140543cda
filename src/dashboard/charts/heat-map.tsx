import { chartTexts as texts } from '../texts/en/charts.ts';
import { formatNumber } from '../ui/format.ts';

const cell = 20;
const left = 36;
const top = 18;

const hours = Array.from({ length: 24 }, (_, hour) => hour);
const weekdayFormat = new Intl.DateTimeFormat(undefined, { weekday: 'short', timeZone: 'UTC' });
/** Names of weekdays from Monday: 1 January 2024 was one. */
const weekdays = Array.from({ length: 7 }, (_, i) => weekdayFormat.format(Date.UTC(2024, 0, 1 + i)));

/** Clicks by weekday and hour. `values` has them by names such as "1-13" for Monday 13:00. */
export function HeatMap({ values, label }: { values: ReadonlyMap<string, number>; label: string }) {
  const of = (day: number, hour: number) => values.get(`${day + 1}-${hour}`) ?? 0;
  const max = Math.max(...values.values(), 1);
  return (
    <>
      <svg
        class="heat-map"
        viewBox={`0 0 ${left + 24 * cell} ${top + 7 * cell}`}
        role="img"
        aria-label={label}
      >
        {hours
          .filter((hour) => hour % 3 === 0)
          .map((hour) => (
            <text key={hour} x={left + (hour + 0.5) * cell} y={12} text-anchor="middle">
              {hour}
            </text>
          ))}
        {weekdays.map((name, day) => (
          <g key={name}>
            <text x={left - 8} y={top + (day + 0.7) * cell} text-anchor="end">
              {name}
            </text>
            {hours.map((hour) => (
              <rect
                key={hour}
                x={left + hour * cell + 1}
                y={top + day * cell + 1}
                width={cell - 2}
                height={cell - 2}
                rx={3}
                fill-opacity={(0.06 + 0.94 * Math.sqrt(of(day, hour) / max)).toFixed(2)}
              >
                <title>{`${name} ${hour}:00: ${texts.clicks(formatNumber(of(day, hour)))}`}</title>
              </rect>
            ))}
          </g>
        ))}
      </svg>
      <div class="visually-hidden">
        <table>
          <caption>{label}</caption>
          <thead>
            <tr>
              <td />
              {hours.map((hour) => (
                <th key={hour} scope="col">{`${hour}:00`}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {weekdays.map((name, day) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                {hours.map((hour) => (
                  <td key={hour}>{of(day, hour)}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}
