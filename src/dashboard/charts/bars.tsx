import type { ComponentChildren } from 'preact';
import { chartTexts as texts } from '../texts/en/charts.ts';
import { formatNumber, formatPercent } from '../ui/format.ts';

export interface Bar {
  key: string;
  name: ComponentChildren;
  value: number;
  href?: string;
}

/** Values in descending order with bars; a row filters by its value. */
export function Bars(props: {
  bars: readonly Bar[];
  total: number;
  label: string;
  chosen?: string | undefined;
  onChoose?: ((key: string | undefined) => void) | undefined;
}) {
  const { bars, total, label, chosen, onChoose } = props;
  const max = Math.max(...bars.map(({ value }) => value), 1);
  if (bars.length === 0) return <p class="quiet">{texts.noClicks}</p>;
  return (
    <ul class="bars" aria-label={label}>
      {bars.map(({ key, name, value, href }) => {
        const content = (
          <>
            <svg class="bar" aria-hidden="true" preserveAspectRatio="none">
              <rect width={`${(100 * value) / max}%`} height="100%" rx="4" />
            </svg>
            <span class="bar-name">{name}</span>
            <span class="bar-share">{formatPercent(value / Math.max(total, 1))}</span>
            <span class="bar-value">{formatNumber(value)}</span>
          </>
        );
        return (
          <li key={key}>
            {href ? (
              <a class="bar-row" href={href}>
                {content}
              </a>
            ) : !onChoose ? (
              <div class="bar-row">{content}</div>
            ) : (
              <button
                type="button"
                class="bar-row"
                aria-pressed={chosen === key}
                onClick={() => onChoose(chosen === key ? undefined : key)}
              >
                {content}
              </button>
            )}
          </li>
        );
      })}
    </ul>
  );
}
