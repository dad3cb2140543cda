import { keptAbove } from '../../../urls/kept-lists/large-owners.ts';
import { timestamp } from '../../routes/schemas.ts';

/** The field of a page that may be made of what a job keeps. */
export const asOfField = (what: string) =>
  timestamp
    .nullable()
    .describe(
      `Time of the latest ${what} of which the page was made, where there are more than ${keptAbove} short URLs; null: the page is current`,
    );

export const presentTime = (time: Date | null): string | null => time?.toISOString() ?? null;
