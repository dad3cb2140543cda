import fc from 'fast-check';
import { hostileBodies, hostileTexts } from './hostile-texts.ts';
import { isKnown } from './known-values.ts';

/** Unexpected text. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...hostileTexts) },
  // Includes lone surrogates.
  { weight: 1, arbitrary: fc.string({ unit: fc.nat(0xffff).map((code) => String.fromCharCode(code)) }) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  { weight: 1, arbitrary: fc.webUrl({ withQueryParameters: true, withFragments: true }) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom('a', '%', '€', '\\'), fc.nat(3_000))
      .map(([unit, n]) => unit.repeat(n)),
  },
);

const nested = (depth: number) => {
  let value: unknown = [];
  for (let level = 0; level < depth; level++) value = level % 2 ? [value] : { a: value };
  return value;
};

const numbers = [0, -0, -1, 1, 1.5, 1e-7, 1e308, 2 ** 31, 2 ** 53, -(2 ** 53) - 2, 1e21];
const oddities: unknown[] = [null, true, false, [], {}, [null], [[]], { '': '' }, { length: 1e9 }];
const poisoned: unknown = JSON.parse('{"__proto__":{"admin":true}}');

/** An unexpected JSON value. */
const hostileJson: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 3, arbitrary: hostileText },
  { weight: 2, arbitrary: fc.constantFrom(...numbers, ...oddities, poisoned) },
  { weight: 1, arbitrary: fc.nat(500).map(nested) },
  { weight: 1, arbitrary: fc.jsonValue() },
  { weight: 1, arbitrary: fc.array(hostileText, { maxLength: 5 }) },
);

/** A value with one node replaced, removed or added. */
export const spoiled = (value: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc
    .record({
      value,
      place: fc.nat(30),
      change: fc.constantFrom('replace', 'replace', 'replace', 'remove', 'add'),
      by: hostileJson,
      name: hostileText,
    })
    .map(({ value, ...change }) => changeAt(value, change));

interface Change {
  place: number;
  change: string;
  by: unknown;
  name: string;
}

function changeAt(value: unknown, { place, change, by, name }: Change): unknown {
  const size = sizeOf(value);
  const target = place % size;
  let visited = 0;
  const visit = (node: unknown): unknown => {
    const isTarget = visited++ === target;
    if (isTarget && change === 'replace') return by;
    if (isTarget && change === 'remove') return undefined;
    if (Array.isArray(node)) {
      const items = node.map(visit).filter((item) => item !== undefined);
      return isTarget ? [...items, by] : items;
    }
    if (!isObject(node)) return isTarget ? by : node;
    const entries = Object.entries(node).map(([key, item]): [string, unknown] => [key, visit(item)]);
    return Object.fromEntries(isTarget ? [...entries, [name, by]] : entries);
  };
  return visit(value);
}

const isObject = (node: unknown): node is Record<string, unknown> =>
  typeof node === 'object' && node !== null && !isKnown(node);

function sizeOf(node: unknown): number {
  const items = Array.isArray(node) ? node : isObject(node) ? Object.values(node) : [];
  return items.reduce<number>((sum, item) => sum + sizeOf(item), 1);
}

/** A body that matches no schema. */
export const hostileBody: fc.Arbitrary<Buffer> = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom(...hostileBodies).map((text) => Buffer.from(text)) },
  { weight: 1, arbitrary: hostileText.map((text) => Buffer.from(text)) },
  { weight: 1, arbitrary: hostileJson.map((value) => Buffer.from(JSON.stringify(value))) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)) },
);
