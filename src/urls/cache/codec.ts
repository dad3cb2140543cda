import { isServable } from '../input/served-url.ts';
import type { CachedUrl, CacheEntry, GoneReason, RedirectRules } from './entry.ts';

const tombstones: Record<GoneReason, string> = { 'not found': '404', expired: '410' };

/** Stands before what has rules. Whoever knows fewer rules than these must not take it for what it can read, nor this release
 *  what has more: another set of rules is another mark. */
const rulesMark = '2';
const ruleOrder = [
  'startsAtMs',
  'fallbackUrl',
  'redirectStatus',
  'redirectMaxAgeSeconds',
  'forwardQuery',
  'isOneTime',
  'isProtected',
  'maxClicks',
] as const satisfies (keyof RedirectRules)[];

type Is = (value: unknown) => boolean;
const isNumber: Is = (value) => typeof value === 'number';
const isText: Is = (value) => typeof value === 'string';
const isFlag: Is = (value) => typeof value === 'boolean';
const orNull =
  (is: Is): Is =>
  (value) =>
    value === null || is(value);

/** What each rule may be. An entry with anything else is not used: read as "no limit" it would open what is closed. */
const isRule: Record<keyof RedirectRules, Is> = {
  startsAtMs: orNull(isNumber),
  fallbackUrl: orNull(isText),
  redirectStatus: orNull(isNumber),
  redirectMaxAgeSeconds: orNull(isNumber),
  forwardQuery: isFlag,
  isOneTime: isFlag,
  isProtected: isFlag,
  maxClicks: orNull(isNumber),
};

/** An entry without its version, as text: "id,expiry in ms or nothing,original URL", half the size of JSON, and no parser to
 *  trip over; with rules "2", and the same and the rules as a JSON list; or a tombstone. */
export function encodeEntry(entry: { url: CachedUrl } | { gone: GoneReason }): string {
  if ('gone' in entry) return tombstones[entry.gone];
  const { id, expiresAtMs, originalUrl, rules } = entry.url;
  if (rules === undefined) return `${id},${expiresAtMs ?? ''},${originalUrl}`;
  const values = ruleOrder.map((rule) => rules[rule]);
  return rulesMark + JSON.stringify([id, expiresAtMs, originalUrl, ...values]);
}

/** The entry that stands behind "version:"; undefined when it is not ours, or of a later release: the table knows better. */
export function decodeEntry(value: string): CacheEntry | undefined {
  const [, digits, body = ''] = /^(\d{1,16}):(.*)$/s.exec(value) ?? [];
  if (digits === undefined) return undefined;
  const version = Number(digits);
  if (body === tombstones['not found']) return { gone: 'not found', version };
  if (body === tombstones.expired) return { gone: 'expired', version };
  const url = body.startsWith(`${rulesMark}[`)
    ? decodeRuled(body.slice(rulesMark.length))
    : decodePlain(body);
  // An earlier release stored what another program wrote as it was.
  const isUsable =
    url !== undefined && isServable(url.originalUrl) && isServable(url.rules?.fallbackUrl ?? 'x:');
  return isUsable ? { url, version } : undefined;
}

function decodePlain(body: string): CachedUrl | undefined {
  const [, id, expiresAtMs, originalUrl] = /^(\d{1,16}),(-?\d{1,16}|),(.+)$/.exec(body) ?? [];
  if (id === undefined || originalUrl === undefined) return undefined;
  return { id: Number(id), originalUrl, expiresAtMs: expiresAtMs ? Number(expiresAtMs) : null };
}

function decodeRuled(list: string): CachedUrl | undefined {
  try {
    const [id, expiresAtMs, originalUrl, ...values] = JSON.parse(list);
    if (!isNumber(id) || !isText(originalUrl) || !orNull(isNumber)(expiresAtMs)) return undefined;
    if (values.length !== ruleOrder.length || !ruleOrder.every((rule, i) => isRule[rule](values[i])))
      return undefined;
    const rules = Object.fromEntries(ruleOrder.map((rule, i) => [rule, values[i]]));
    return { id, originalUrl, expiresAtMs, rules: rules as unknown as RedirectRules };
  } catch {
    return undefined;
  }
}
