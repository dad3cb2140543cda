/** The part of JSON Schema 2020-12 that the API document uses, without references. */
export interface Schema {
  type?: SchemaType | SchemaType[];
  const?: unknown;
  enum?: unknown[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: Schema | boolean;
  items?: Schema;
  minItems?: number;
  maxItems?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  format?: string;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  default?: unknown;
  example?: unknown;
  examples?: unknown[];
}

type SchemaType = 'string' | 'integer' | 'number' | 'boolean' | 'null' | 'array' | 'object';

/** Replaces each reference of a document by its target. Throws for an unresolvable or circular one. */
export function followReferences(document: object): unknown {
  const follow = (node: unknown, within: readonly string[]): unknown => {
    if (Array.isArray(node)) return node.map((item) => follow(item, within));
    if (typeof node !== 'object' || node === null) return node;
    if ('$ref' in node && typeof node.$ref === 'string') {
      if (within.includes(node.$ref)) throw new Error(`${node.$ref} contains itself`);
      return follow(find(document, node.$ref), [...within, node.$ref]);
    }
    return Object.fromEntries(Object.entries(node).map(([name, value]) => [name, follow(value, within)]));
  };
  return follow(document, []);
}

function find(document: object, reference: string): unknown {
  let node: unknown = document;
  for (const name of reference.replace(/^#\//, '').split('/')) {
    node = (node as Record<string, unknown> | undefined)?.[name];
  }
  if (node === undefined) throw new Error(`${reference} cannot be resolved`);
  return node;
}
