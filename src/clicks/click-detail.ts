import type { BotKind } from './enrichment/agents/bot-kinds.ts';

/** Dimensions of a click, besides its short URL and time. All texts are short and free of personal data; an empty
 *  text means unknown. */
export interface ClickDetail {
  /** ISO 3166-1 alpha-2 code in upper case. */
  country: string;
  /** Host name of the referring page, in lower case. */
  referrer: string;
  browser: string;
  os: string;
  /** Device type: mobile, tablet, desktop, … */
  device: string;
  isBot: boolean;
  /** Purpose of the bot; undefined for a person and when unknown. */
  botKind?: BotKind | undefined;
  /** Visitor ID: 16 hexadecimal digits that identify a visitor for one day and reveal no address. Empty when visitors
   *  are not tracked; the click then gets no row of its own. */
  visitor: string;
}
