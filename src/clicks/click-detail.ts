import type { BotKind } from './enrichment/agents/bot-kinds.ts';

/** Who clicked, from where: what is known of a click besides its short URL and its time, as short texts that are safe to keep.
 *  Empty is unknown. */
export interface ClickDetail {
  /** Two capital letters of ISO 3166-1. */
  country: string;
  /** Host of the page that led here, in lower case. */
  referrer: string;
  browser: string;
  os: string;
  /** mobile, tablet, desktop, … */
  device: string;
  isBot: boolean;
  /** What the bot is for; undefined for a person, and where it is unknown. */
  botKind?: BotKind | undefined;
  /** Sixteen hexadecimal digits that tell visitors of one day apart and nobody's address; empty where none is kept: then the click
   *  gets no row of its own. */
  visitor: string;
}
