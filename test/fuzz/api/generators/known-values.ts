/** Fields from one answer under one tag, which belong together. */
type Shown = Record<string, unknown>;

const mark = Symbol('known');

/** A placeholder in an unsent request for a value that earlier answers had under a name. */
export interface Known {
  [mark]: true;
  field: string;
  nth: number;
}

export const known = (field: string, nth: number): Known => ({ [mark]: true, field, nth });
export const isKnown = (node: unknown): node is Known =>
  typeof node === 'object' && node !== null && mark in node;

const maxValues = 200;
/** Request names with the answer names of the same values. */
const otherNames: Record<string, string[]> = {
  custom_code: ['codes', 'short_code'],
  codes: ['short_code'],
  short_codes: ['short_code', 'codes'],
  cursor: ['next_cursor'],
  after: ['next_cursor', 'id'],
  tag: ['tags'],
  search: ['title', 'tags', 'original_url'],
  host: ['host', 'original_url'],
};

/** The latest values from answers, such as existing codes, cursors and entity tags, for later requests. */
export function createKnownValues() {
  const shown = new Map<string, Shown[]>();
  const values = new Map<string, unknown[]>();

  const keep = <T>(lists: Map<string, T[]>, name: string, item: T) => {
    const list = lists.get(name) ?? [];
    lists.set(name, list);
    list.push(item);
    if (list.length > maxValues) list.shift();
  };

  function learn(tag: string, node: unknown, depth = 0): void {
    if (typeof node !== 'object' || node === null || depth > 4) return;
    if (Array.isArray(node)) {
      for (const item of node.slice(0, 20)) learn(tag, item, depth + 1);
      return;
    }
    keep(shown, tag, node as Shown);
    for (const [name, value] of Object.entries(node)) {
      for (const one of (Array.isArray(value) ? value : [value]).slice(0, 20)) {
        if (typeof one === 'string' || typeof one === 'number') keep(values, name, one);
      }
      learn(tag, value, depth + 1);
    }
  }

  const nthOf = <T>(list: T[] | undefined, nth: number): T | undefined => list?.[nth % list.length];

  return {
    /** Stores the values in an answer of an operation with this tag. */
    learn: (tag: string, body: unknown) => learn(tag, body),

    /** A stored object that has all of these fields, under this tag if possible. */
    findShown(tag: string, fields: string[], nth: number): Shown | undefined {
      const having = (list: Shown[] = []) => list.filter((one) => fields.every((field) => field in one));
      const own = having(shown.get(tag));
      return nthOf(own.length > 0 ? own : having([...shown.values()].flat()), nth);
    },

    /** A value stored under this name or a synonym. */
    findValue(field: string, nth: number): unknown {
      const names = [field, ...(otherNames[field] ?? [])].filter((name) => values.has(name));
      return nthOf(values.get(nthOf(names, nth) ?? field), nth >> 2);
    },
  };
}

export type KnownValues = ReturnType<typeof createKnownValues>;
