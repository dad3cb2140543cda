import { chartTexts as texts } from '../../texts/en/charts.ts';
import { formatCountry, plain } from '../../ui/format.ts';
import type { Dimension } from './range.ts';

/** The value of a dimension as people read it. */
export function nameOf(dimension: Dimension, value: string): string {
  if (value === '') return dimension === 'referrer' ? texts.direct : texts.unknown;
  if (dimension === 'country') return formatCountry(value);
  if (dimension === 'device') return value[0]!.toUpperCase() + value.slice(1).replaceAll('_', ' ');
  return plain(value);
}
