import addFormats from 'ajv-formats';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import type { Operation, Response } from './operations.ts';
import type { Schema } from './schema.ts';
import type { Answer, Request } from './send.ts';

/** The schema of every problem. */
const problemSchema: Schema = {
  type: 'object',
  properties: {
    type: { type: 'string', pattern: '/docs/problems#[a-z-]+$' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
  },
  required: ['type', 'title', 'status', 'detail'],
};

/** The error answer of a request outside of any operation; browsers get a page. */
const anyProblem: Response = {
  content: { 'application/problem+json': { schema: problemSchema }, 'text/html': {} },
};

/** Statuses of requests that are rejected before routing. */
const statusesBeforeRouting = new Set([408, 431]);

/** Checks answers against the API document: returns the first violation, or undefined. */
export function createOracle() {
  // `example` is OpenAPI's.
  const ajv = new Ajv2020({ strict: true, keywords: ['example'], allowUnionTypes: true });
  addFormats.default(ajv);
  const compiled = new Map<Schema, ValidateFunction>();
  const validatorOf = (schema: Schema) => {
    const validate = compiled.get(schema) ?? ajv.compile(schema);
    compiled.set(schema, validate);
    return validate;
  };

  function checkBody(answer: Answer, schema: Schema): string | undefined {
    let body: unknown;
    try {
      body = JSON.parse(answer.body.toString());
    } catch {
      return 'the body is not JSON';
    }
    const validate = validatorOf(schema);
    if (!validate(body)) {
      const [error] = validate.errors!;
      // Array indexes are masked, so that equal findings have equal texts.
      return `the body violates its schema: ${error!.instancePath.replaceAll(/\d+/g, 'n')} ${error!.message} (${error!.schemaPath})`;
    }
    const status = (body as { status?: unknown } | null)?.status;
    const isProblem = typeOf(answer) === 'application/problem+json';
    return isProblem && status !== answer.status ? 'the body has another status' : undefined;
  }

  function checkContent(answer: Answer, { content = {} }: Response, isHead: boolean): string | undefined {
    const type = typeOf(answer);
    const types = Object.keys(content);
    if (isHead) return answer.body.length > 0 ? 'HEAD has a body' : undefined;
    if (types.length === 0) return answer.body.length > 0 ? 'the body is not documented' : undefined;
    if (!Object.hasOwn(content, type)) return `the content type ${type || 'none'} is not documented`;
    const { schema } = content[type]!;
    return schema && /[/+]json$/.test(type) ? checkBody(answer, schema) : undefined;
  }

  return {
    /** Checks the answer of an operation, or of a request that may belong to none. */
    check(operation: Operation | undefined, request: Request, answer: Answer): string | undefined {
      const isHead = request.method === 'HEAD';
      if (answer.status >= 500 && !(answer.status === 503 && isPrefetch(request)))
        return `answered ${answer.status}`;
      if (!operation || statusesBeforeRouting.has(answer.status)) {
        return answer.status < 400 ? undefined : checkContent(answer, anyProblem, isHead);
      }
      const response = operation.responses[answer.status];
      if (!response) return `the status ${answer.status} is not documented`;
      const missing = Object.keys(response.headers ?? {}).find(
        (name) => !(name.toLowerCase() in answer.headers),
      );
      if (missing) return `the header ${missing} is missing`;
      return checkContent(answer, response, isHead);
    },
  };
}

/** A prefetch can get a 503. */
const isPrefetch = ({ headers }: Request) => headers.some(([name]) => name === 'sec-purpose');

const typeOf = ({ headers }: Answer) => (headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase();
