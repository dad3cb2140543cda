import type { ShortUrl } from '../../api/types.ts';
import { linkTexts as texts } from '../../texts/en/link.ts';
import { linksTexts } from '../../texts/en/links.ts';
import { formatDateTime, formatNumber, plain } from '../../ui/format.ts';

const { fields } = linksTexts;

type Kind =
  | 'text'
  | 'url'
  | 'long'
  | 'number'
  | 'moment'
  | 'password'
  | 'tags'
  | 'switch'
  | 'status'
  | 'code';

/** The value of a setting, as the API has it. */
export type SettingValue = ShortUrl[Field];

/** A setting of a short URL that can be changed in place. */
export interface Setting {
  /** Its field in the patch. */
  name: keyof typeof fields;
  label: string;
  kind: Kind;
  hint?: string;
  /** Whether its value can be removed. */
  isOptional: boolean;
  /** What stands for no value. */
  unset: string;
  /** The value in words. */
  show: (url: ShortUrl) => string;
  /** The value of its input. */
  valueOf: (url: ShortUrl) => SettingValue;
}

type Field = Extract<keyof ShortUrl, keyof typeof fields>;

const setting = (name: Field, kind: Kind, hint?: string): Setting => ({
  name,
  label: fields[name],
  kind,
  ...(hint !== undefined && { hint }),
  isOptional: !['original_url', 'short_code'].includes(name) && kind !== 'switch',
  unset: unsetOf(kind),
  show: (url) => describe(url[name], kind),
  valueOf: (url) => url[name],
});

const unsetOf = (kind: Kind) => (kind === 'status' ? fields.redirectDefault : texts.none);

function describe(value: ShortUrl[Field], kind: Kind): string {
  if (kind === 'switch') return value === true ? texts.on : texts.off;
  if (value === null || value === '') return unsetOf(kind);
  if (Array.isArray(value)) return value.length === 0 ? texts.none : value.map(plain).join(', ');
  if (kind === 'moment') return formatDateTime(String(value));
  return typeof value === 'number' && kind === 'number' ? formatNumber(value) : plain(String(value));
}

/** All settings, in the order in which people look for them. */
export const settings: readonly Setting[] = [
  setting('original_url', 'url'),
  setting('short_code', 'code'),
  setting('is_active', 'switch'),
  setting('title', 'text'),
  setting('tags', 'tags', fields.tagsHint),
  setting('expires_at', 'moment', fields.expiresHint),
  setting('starts_at', 'moment', fields.startsHint),
  setting('max_clicks', 'number', fields.maxClicksHint),
  {
    name: 'password',
    label: fields.password,
    kind: 'password',
    hint: fields.passwordHint,
    isOptional: true,
    unset: texts.none,
    show: (url) => (url.has_password ? texts.set : texts.none),
    valueOf: () => '',
  },
  setting('is_one_time', 'switch'),
  setting('fallback_url', 'url', fields.fallbackHint),
  setting('redirect_status', 'status'),
  setting('forward_query', 'switch'),
  setting('crawlable', 'switch'),
  setting('notes', 'long', fields.notesHint),
];
