import { isServable } from '../input/served-url.ts';
import type { CachedUrl, CacheEntry, NegativeReason, RedirectRules } from './entry.ts';

const negativeBodies: Record<NegativeReason, string> = { not_found: '404', expired: '410' };

/** Marks an entry with rules. Another set of rules needs another mark, so that no release misreads an entry of another
 *  one. */
const rulesMarker = '2';
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

/** The valid values of each rule. An entry with any other value is ignored: reading it as "no limit" would bypass an
 *  access rule. */
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

/** Encodes an entry without its version: "id,expiry in ms or empty,original URL", half the size of JSON. With rules,
 *  "2" and a JSON list of the same fields and the rules. A negative entry is its status code. */
export function encodeEntry(entry: { url: CachedUrl } | { negative: NegativeReason }): string {
  if ('negative' in entry) return negativeBodies[entry.negative];
  const { id, expiresAtMs, originalUrl, rules } = entry.url;
  if (rules === undefined) return `${id},${expiresAtMs ?? ''},${originalUrl}`;
  const values = ruleOrder.map((rule) => rules[rule]);
  return rulesMarker + JSON.stringify([id, expiresAtMs, originalUrl, ...values]);
}

/** Decodes "version:entry"; undefined if it is invalid or of a later release, in which case the database is read. */
export function decodeEntry(value: string): CacheEntry | undefined {
  const [, digits, body = ''] = /^(\d{1,16}):(.*)$/s.exec(value) ?? [];
  if (digits === undefined) return undefined;
  const version = Number(digits);
  if (body === negativeBodies.not_found) return { negative: 'not_found', version };
  if (body === negativeBodies.expired) return { negative: 'expired', version };
  const url = body.startsWith(`${rulesMarker}[`)
    ? decodeRuled(body.slice(rulesMarker.length))
    : decodePlain(body);
  // Earlier releases stored the URLs of external writes unchecked.
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
