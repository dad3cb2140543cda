import fc from 'fast-check';
import type { Operation, Parameter } from '../operations.ts';
import { hostileBody, hostileText, spoiled } from './hostile-values.ts';
import { known } from './known-values.ts';
import { place, valuesOf } from './schema-values.ts';

/** A request whose references to earlier answers are not resolved yet. */
export interface Plan {
  operation: Operation;
  /** Its caller, by index. */
  caller: string;
  asBearer: boolean;
  method: string;
  path: Record<string, unknown>;
  query: [name: string, value: unknown][];
  headers: [name: string, value: unknown][];
  body: { type: string | undefined; content: unknown } | undefined;
  /** A change of the path in the request line, if any. */
  bend: ((path: string) => string) | undefined;
  /** The objects of earlier answers that several parts of the request share. */
  nth: number;
}

const headerNames = [
  'accept accept-encoding accept-language content-encoding cookie dnt host origin referer user-agent range te via',
  'x-forwarded-for x-forwarded-host x-forwarded-proto forwarded x-real-ip x-http-method-override authorization x-api-key',
  'if-none-match if-modified-since if-match idempotency-key sec-purpose sec-fetch-site prefer __proto__ constructor',
].flatMap((names) => names.split(' '));
const otherTypes = [
  'application/json',
  'application/json; charset=utf-16',
  'application/json; charset=nonsense',
  'application/JSON;charset="utf-8"',
  'application/json, text/plain',
  'application/vnd.api+json',
  'application/x-ndjson',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'text/plain',
  'text/csv',
  '/',
  '',
  undefined,
];
const otherMethods = 'GET HEAD POST PUT PATCH DELETE OPTIONS TRACE PROPFIND PURGE QUERY M-SEARCH'.split(' ');

/** Generates requests of every operation: valid, invalid and arbitrary ones. */
export const requestsOf = (operations: Operation[], callers: string[]): fc.Arbitrary<Plan> =>
  fc.oneof(...operations.map((operation) => plansOf(operation, callers)));

const none = fc.constant<[string, unknown][]>([]);

function plansOf(operation: Operation, callers: string[]): fc.Arbitrary<Plan> {
  const { method, tag, parameters, isOperatorPath } = operation;
  // Operations on the current session need one.
  const caller = isOperatorPath ? 'operator' : tag === 'Sessions' ? 'browser' : 'admin';
  const within = (place: Parameter['in']) => parameters.filter((parameter) => parameter.in === place);
  return fc.record({
    operation: fc.constant(operation),
    caller: mostly(20, fc.constant(caller), fc.constantFrom(...callers)),
    asBearer: fc.boolean(),
    method: mostly(30, fc.constant(method), fc.constantFrom(...otherMethods)),
    path: fc.record(Object.fromEntries(within('path').map((one) => [one.name, pathValueOf(one)]))),
    query: fc
      .tuple(fc.tuple(...within('query').map(pairsOf)), mostly(15, none, strangePairs))
      .map(([own, strange]) => own.flat().concat(strange)),
    headers: fc
      .tuple(fc.tuple(...within('header').map(pairsOf)), mostly(6, none, strangeHeaders))
      .map(([own, strange]) => own.flat().concat(strange)),
    body: bodyOf(operation),
    bend: mostly<Plan['bend']>(25, fc.constant(undefined), bends),
    nth: place,
  });
}

/** Generates `usual`, and another value once in a number of times; shrinks to `usual`. */
const mostly = <T>(times: number, usual: fc.Arbitrary<T>, otherwise: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof(
    { withCrossShrink: true },
    { weight: times - 1, arbitrary: usual },
    { weight: 1, arbitrary: otherwise },
  );

const pathValueOf = ({ name, schema }: Parameter): fc.Arbitrary<unknown> =>
  fc.oneof(
    { weight: 8, arbitrary: place.map((nth) => known(name, nth)) },
    // A parameter with examples has few valid values.
    { weight: schema.examples ? 12 : 2, arbitrary: valuesOf(schema) },
    { weight: 1, arbitrary: hostileText },
  );

/** A parameter that occurs once, never or several times. */
function pairsOf({ name, required, schema }: Parameter): fc.Arbitrary<[string, unknown][]> {
  const value = mostly<unknown>(12, valuesOf(schema, name), hostileText);
  const most = required ? 1 : 0;
  const times = mostly(40, mostly(4, fc.constant(most), fc.constant(1)), fc.constantFrom(0, 2));
  return fc
    .tuple(times, value, value)
    .map(([count, ...values]) => values.slice(0, count).map((one): [string, unknown] => [name, one]));
}

const strangePairs: fc.Arbitrary<[string, unknown][]> = fc.array(
  fc.tuple(hostileText, fc.oneof(hostileText, fc.constantFrom('', undefined))),
  { minLength: 1, maxLength: 3 },
);

const strangeHeaders: fc.Arbitrary<[string, unknown][]> = fc.array(
  fc.tuple(fc.constantFrom(...headerNames), hostileText),
  { minLength: 1, maxLength: 3 },
);

function bodyOf({ body }: Operation): fc.Arbitrary<Plan['body']> {
  const described = Object.entries(body).map(([type, { schema = {} }]) => {
    const content =
      schema.type === 'string'
        ? fc.oneof(linesOfText, valuesOf(schema))
        : mostly(4, valuesOf(schema), spoiled(valuesOf(schema)));
    return fc.record({ type: fc.constant<string | undefined>(type), content });
  });
  const strange = fc.record({ type: fc.constantFrom(...otherTypes), content: hostileBody });
  if (described.length === 0) return mostly<Plan['body']>(30, fc.constant(undefined), strange);
  const hasOtherType = fc
    .tuple(fc.oneof(...described), fc.constantFrom(...otherTypes))
    .map(([{ content }, type]) => ({ type, content }));
  return mostly<Plan['body']>(
    8,
    fc.oneof(...described),
    fc.oneof(hasOtherType, strange, fc.constant(undefined)),
  );
}

/** The rows of an uploaded table. */
const linesOfText = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        'short_code,original_url',
        'https://example.com/a',
        'abcd,https://example.com/b',
        '{}',
        ',',
      ),
      fc.webUrl().map((url) => JSON.stringify({ original_url: url })),
      hostileText,
    ),
    { maxLength: 8 },
  )
  .map((lines) => lines.join('\n'));

const bends: fc.Arbitrary<(path: string) => string> = fc.oneof(
  hostileText.map((text) => (path: string) => path + text),
  hostileText.map((text) => (path: string) => path.replace(/\/[^/]*$/, () => `/${text}`)),
  fc.constantFrom<(path: string) => string>(
    (path) => path.toUpperCase(),
    (path) => `/${path}`,
    (path) => `${path}/`,
    (path) => path.replaceAll('/', '//'),
    (path) => path.replaceAll('/', '%2F'),
    (path) => `/x/..${path}`,
    (path) => `http://elsewhere.example${path}`,
    (path) => `${path}%zz`,
    (path) => `${path}?%zz=%zz&[]=1&a[b][c]=d&a[__proto__]=e`,
    (path) => `${path}#fragment`,
    (path) => `${path};a=b`,
    () => '*',
  ),
);
