/** The part of JSON Schema 2020-12 that the API's document uses, its references followed. */
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

/** The document with each reference replaced by what it refers to. Throws for one that leads nowhere, or to itself. */
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
  if (node === undefined) throw new Error(`${reference} leads nowhere`);
  return node;
}
