import type { z } from 'zod';
import {
  createDocument,
  type CreateDocumentOptions,
  type ZodOpenApiOperationObject,
  type ZodOpenApiResponsesObject,
} from 'zod-openapi';
import { version } from '../../version.ts';
import { basePathOf } from '../base-path.ts';
import { patchTypes } from '../middleware/accept-patch.ts';
import { type ProblemType, problemTypes, problemUri } from '../problems/problem-types.ts';
import { operations } from './api.ts';
import { defaultBodyBytes, type Operation } from './operation.ts';
import type { ResponsesOf } from './public-operation.ts';
import { publicPaths } from './public-paths.ts';
import { problem } from './schemas.ts';
import { tagObjects } from './tags.ts';

/** The base URL in docs/openapi.json: no service has it. */
export const exampleBaseUrl = 'https://sho.rt';

/** The OpenAPI 3.1 document, derived from the operations that validate and answer requests. */
export const createApiDocument = (baseUrl: string) => {
  const responsesOf = createResponses(baseUrl);
  return createDocument(
    {
      openapi: '3.1.1',
      info: {
        title: 'Linkmill',
        version,
        description:
          'URL shortener API. Field names are in snake_case, times are RFC 3339 in UTC. Errors are `application/problem+json` (RFC 9457); branch on `type`. Lists return `items` and `next_cursor`; pass it as `cursor` for the next page. `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10), and `RateLimit-Limit`, `RateLimit-Remaining` and `RateLimit-Reset` (seconds) contain the remaining quota of the API key; 429 has `Retry-After`.',
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: basePathOf(baseUrl) || '/' }],
      tags: tagObjects,
      security: [{ apiKey: [] }, { bearer: [] }],
      components: {
        schemas: { Problem: problem },
        securitySchemes: {
          apiKey: { type: 'apiKey', in: 'header', name: 'x-api-key' },
          bearer: { type: 'http', scheme: 'bearer' },
        },
      },
      paths: { ...publicPaths(responsesOf), ...pathsOfOperations(responsesOf) },
    },
    { override: removeNoise },
  );
};

/** Removes the limits of safe integers, and the patterns of named formats. */
const removeNoise: CreateDocumentOptions['override'] = ({ jsonSchema }) => {
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
  if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
};

function pathsOfOperations(responsesOf: ResponsesOf) {
  const paths: Record<string, Record<string, ZodOpenApiOperationObject>> = {};
  for (const [operationId, operation] of Object.entries<Operation>(operations)) {
    paths[operation.path] = {
      ...paths[operation.path],
      [operation.method]: describe(operationId, operation, responsesOf),
    };
  }
  return paths;
}

function describe(
  operationId: string,
  operation: Operation,
  responsesOf: ResponsesOf,
): ZodOpenApiOperationObject {
  const { tag, summary, description, scope, params, query, headers = {} } = operation;
  return {
    operationId,
    tags: [tag],
    summary,
    description: [description, describeScope(scope)].filter(Boolean).join('\n\n'),
    requestParams: {
      ...(params && { path: params }),
      ...(query && { query: query as z.ZodObject }),
    },
    parameters: Object.entries({ ...headers, ...(operation.isIdempotent && idempotencyKey) }).map(
      ([name, meaning]) => ({
        name,
        in: 'header' as const,
        description: meaning,
        schema: { type: 'string' },
      }),
    ),
    ...requestBodyOf(operation),
    responses: { ...repliesOf(operation), ...responsesOf(problemsOf(operation)) },
  };
}

const idempotencyKey = {
  'Idempotency-Key':
    '1 to 255 visible ASCII characters. For 24 hours a repeated request with the same key returns the first result, with `Idempotent-Replayed: true`',
};
const describeScope = (scope: Operation['scope']) =>
  scope === 'any' ? 'Requires an API key.' : `Requires an API key with the scope \`${scope}\`.`;

function requestBodyOf({ method, body, upload, maxBodyBytes = defaultBodyBytes }: Operation) {
  if (body) {
    const description = `At most ${maxBodyBytes / 1024} KiB.`;
    return {
      requestBody: { required: true, description, content: contentOf(method, body) },
    };
  }
  if (!upload) return {};
  const content = Object.fromEntries(upload.map((type) => [type, { schema: { type: 'string' as const } }]));
  return { requestBody: { required: true, content } };
}

/** A PATCH also accepts the media type of a merge patch. */
const contentOf = (method: Operation['method'], schema: z.ZodType) =>
  Object.fromEntries(
    (method === 'patch' ? patchTypes : (['application/json'] as const)).map((type) => [type, { schema }]),
  );

function repliesOf({ replies }: Operation): ZodOpenApiResponsesObject {
  return Object.fromEntries(
    Object.entries(replies).map(([status, { description, body, content = [], headers = {} }]) => [
      status,
      {
        description,
        headers: Object.fromEntries(
          Object.entries(headers).map(([name, meaning]) => [
            name,
            { description: meaning, schema: { type: 'string' as const } },
          ]),
        ),
        content: {
          ...(body && { 'application/json': { schema: body } }),
          ...Object.fromEntries(content.map((type) => [type, { schema: { type: 'string' as const } }])),
        },
      },
    ]),
  );
}

/** The operation's own problem types, and those that its kind of request can get. */
function problemsOf(operation: Operation): ProblemType[] {
  const { scope, problems, params, query, body, upload, isIdempotent } = operation;
  return [
    ...problems,
    'bad-request',
    'unauthorized',
    ...(scope === 'any' ? [] : (['insufficient-scope'] as const)),
    'rate-limited',
    'internal-error',
    'unavailable',
    ...(isIdempotent ? (['idempotency-key-reused'] as const) : []),
    ...(params || query || body ? (['validation-failed'] as const) : []),
    ...(body || upload ? (['malformed-json', 'too-large', 'unsupported-media-type'] as const) : []),
  ];
}

/** Makes a response for each status of problem types. */
function createResponses(baseUrl: string): ResponsesOf {
  const schemaOf = (types: ProblemType[]) => ({
    allOf: [
      { $ref: '#/components/schemas/Problem' },
      {
        type: 'object' as const,
        properties: { type: { enum: types.map((type) => problemUri(type, baseUrl)) } },
      },
    ],
  });

  return (problems) => {
    const statuses = [...new Set(problems.map((type) => problemTypes[type].status))];
    const typesOf = (status: number) =>
      [...new Set(problems)].filter((type) => problemTypes[type].status === status);
    return Object.fromEntries(
      statuses.map((status) => [
        String(status),
        {
          description: typesOf(status)
            .map((type) => `${problemTypes[type].title} (\`${type}\`)`)
            .join(', '),
          content: { 'application/problem+json': { schema: schemaOf(typesOf(status)) } },
        },
      ]),
    );
  };
}
