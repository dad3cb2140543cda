import fc from 'fast-check';
import type { Schema } from '../schema.ts';
import { known } from './known-values.ts';

/** A reference to a stored value; it does not shrink, because a smaller one would be another value. */
export const place = fc.noShrink(fc.nat());

/** Values that match a schema, including its examples and, by property name, values from earlier answers. */
export function valuesOf(schema: Schema, name?: string): fc.Arbitrary<unknown> {
  const usual = usualOf(schema);
  const examples = [...(schema.examples ?? []), schema.example, schema.default].filter(
    (example) => example !== undefined,
  );
  const isNameable = name !== undefined && [schema, ...(schema.anyOf ?? [])].some(isText);
  return fc.oneof(
    { weight: 3, arbitrary: usual },
    ...(examples.length > 0 ? [{ weight: 4, arbitrary: fc.constantFrom(...examples) }] : []),
    ...(isNameable ? [{ weight: 2, arbitrary: place.map((nth) => known(name, nth)) }] : []),
  );
}

const isText = ({ type, enum: choices }: Schema) =>
  choices === undefined && (type === 'string' || (Array.isArray(type) && type.includes('string')));

function usualOf(schema: Schema): fc.Arbitrary<unknown> {
  if ('const' in schema) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return fc.oneof(...choices.map((choice) => valuesOf(choice)));
  if (schema.allOf) return valuesOf(mergeAll(schema.allOf));
  if (Array.isArray(schema.type)) return fc.oneof(...schema.type.map((type) => usualOf({ ...schema, type })));
  switch (schema.type) {
    case 'string':
      return textOf(schema);
    case 'integer':
      return fc.oneof(fc.integer(rangeOf(schema)), fc.integer({ ...rangeOf(schema), max: nearMax(schema) }));
    case 'number':
      return fc.double({ ...rangeOf(schema), noNaN: true, noDefaultInfinity: true });
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'array':
      return fc.array(valuesOf(schema.items ?? {}), {
        minLength: schema.minItems ?? 0,
        maxLength: Math.min(schema.maxItems ?? 5, Math.max(5, schema.minItems ?? 0)),
      });
    case 'object':
      return objectOf(schema);
    case undefined:
    default:
      return fc.jsonValue();
  }
}

const rangeOf = ({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: Schema) => ({
  min: minimum ?? (exclusiveMinimum === undefined ? -1_000_000 : exclusiveMinimum + 1),
  max: maximum ?? (exclusiveMaximum === undefined ? Number.MAX_SAFE_INTEGER : exclusiveMaximum - 1),
});

/** Most integers are small. */
const nearMax = (schema: Schema) => Math.min(rangeOf(schema).max, rangeOf(schema).min + 50);

/** Texts that match a pattern. fast-check supports neither lookahead nor surrogate classes, so texts are generated
 *  without them and checked. */
function matching(pattern: string): fc.Arbitrary<string> {
  const whole = new RegExp(pattern, 'u');
  const simple = pattern
    .replaceAll(/\(\?[=!](?:\[[^\]]*\]|[^()[\]])*\)/g, '')
    .replaceAll(String.raw`\p{Cs}`, '');
  return fc.stringMatching(new RegExp(simple, 'u')).filter((text) => whole.test(text));
}

function textOf({ pattern, format, minLength = 0, maxLength = 60 }: Schema): fc.Arbitrary<string> {
  if (pattern !== undefined) return matching(pattern);
  if (format === 'date-time') return timeText;
  if (format === 'uri') return fc.webUrl({ withQueryParameters: true, withFragments: true });
  const lengths = { minLength, maxLength: Math.max(minLength, Math.min(maxLength, 60)) };
  return fc.oneof(fc.string(lengths), fc.string({ ...lengths, unit: letters }));
}

/** From many scripts, of one to eight bytes, composed and decomposed. */
const letters = fc.constantFrom(...'a Z 0 - é e\u0301 ß İ ж ש ل 中 ｱ \u{1d11e} 🇩🇪'.split(' '), ' ');

const timeText = fc
  .date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true })
  .map((date) => date.toISOString());

const absent = Symbol('absent');

function objectOf({ properties = {}, required = [], additionalProperties }: Schema): fc.Arbitrary<unknown> {
  const fields = Object.entries(properties).map(([name, schema]): [string, fc.Arbitrary<unknown>] => {
    const value = valuesOf(schema, name);
    // Only some optional properties at a time: all together usually contradict each other.
    return [name, required.includes(name) ? value : oneIn(4, value)];
  });
  const some = fc.record(Object.fromEntries(fields)).map(withoutAbsent);
  if (additionalProperties === undefined || additionalProperties === false) return some;
  const more = additionalProperties === true ? {} : additionalProperties;
  const others = fc.dictionary(fc.string(), valuesOf(more), { maxKeys: 3 });
  return fc.oneof(
    some,
    fc.tuple(some, others).map(([value, rest]) => Object.assign(rest, value)),
  );
}

const oneIn = (times: number, value: fc.Arbitrary<unknown>) =>
  fc.oneof(
    { withCrossShrink: true },
    { weight: times - 1, arbitrary: fc.constant(absent) },
    { weight: 1, arbitrary: value },
  );

const withoutAbsent = (fields: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== absent));

/** Combined object schemas. */
const mergeAll = (schemas: Schema[]): Schema => ({
  type: 'object',
  properties: Object.assign({}, ...schemas.map(({ properties }) => properties)) as Record<string, Schema>,
  required: schemas.flatMap(({ required = [] }) => required),
});
