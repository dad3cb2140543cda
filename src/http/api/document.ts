import type { z } from 'zod';
import {
  createDocument,
  type CreateDocumentOptions,
  type ZodOpenApiOperationObject,
  type ZodOpenApiResponsesObject,
} from 'zod-openapi';
import { version } from '../../version.ts';
import { patchTypes } from '../middleware/accept-patch.ts';
import { problemKinds, type ProblemType, problemUrn } from '../problems/problem.ts';
import { operations } from './api.ts';
import type { Operation } from './operation.ts';
import { usualBodyBytes } from './operation.ts';
import { publicPaths } from './public-paths.ts';
import { problem } from './schemas.ts';
import { describedTags } from './tags.ts';

/** The API as OpenAPI 3.1 describes it, made from what validates and answers its requests. */
export const createApiDocument = (basePath = '') =>
  createDocument(
    {
      openapi: '3.1.1',
      info: {
        title: 'Linkmill',
        version,
        description:
          'Short URLs. JSON in snake_case, times RFC 3339 in UTC, errors `application/problem+json` with a `type` to branch on. `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10) of an answer, and `RateLimit-Limit`, `RateLimit-Remaining` and `RateLimit-Reset` (seconds), say what the API key may still request; 429 has `Retry-After`.',
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: basePath || '/' }],
      tags: describedTags,
      security: [{ apiKey: [] }, { bearer: [] }],
      components: {
        schemas: { Problem: problem },
        securitySchemes: {
          apiKey: { type: 'apiKey', in: 'header', name: 'x-api-key' },
          bearer: { type: 'http', scheme: 'bearer' },
        },
      },
      paths: { ...publicPaths(answersOf), ...pathsOfOperations() },
    },
    { override: leaveNoiseOut },
  );

/** Leaves out what says nothing to a reader: that an integer is one that JavaScript can count to, and how a format that has a
 *  name is spelled. */
const leaveNoiseOut: CreateDocumentOptions['override'] = ({ jsonSchema }) => {
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
  if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
};

function pathsOfOperations() {
  const paths: Record<string, Record<string, ZodOpenApiOperationObject>> = {};
  for (const [operationId, operation] of Object.entries<Operation>(operations)) {
    paths[operation.path] = {
      ...paths[operation.path],
      [operation.method]: describe(operationId, operation),
    };
  }
  return paths;
}

function describe(operationId: string, operation: Operation): ZodOpenApiOperationObject {
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
    responses: { ...repliesOf(operation), ...answersOf(problemsOf(operation)) },
  };
}

const idempotencyKey = {
  'Idempotency-Key':
    '1 to 255 visible ASCII characters of your choice: for a day, the same request with the same key gets the same answer, with `Idempotency-Replayed: true`, and makes nothing again',
};
const describeScope = (scope: Operation['scope']) =>
  scope === 'any' ? 'For every API key.' : `An API key needs the scope \`${scope}\`.`;

function requestBodyOf({ method, body, upload, maxBodyBytes = usualBodyBytes }: Operation) {
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

/** A change may also be sent as what it is, a merge patch. */
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

/** Its own problems, and those that any request of its kind may have. */
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

/** An answer for each status that these problems have. */
function answersOf(problems: ProblemType[]): ZodOpenApiResponsesObject {
  const statuses = [...new Set(problems.map((type) => problemKinds[type][0]))];
  const typesOf = (status: number) =>
    [...new Set(problems)].filter((type) => problemKinds[type][0] === status);
  return Object.fromEntries(
    statuses.map((status) => [
      String(status),
      {
        description: typesOf(status)
          .map((type) => `${problemKinds[type][1]} (\`${type}\`)`)
          .join(', '),
        content: { 'application/problem+json': { schema: problemSchema(typesOf(status)) } },
      },
    ]),
  );
}

/** A problem of one of these types. */
const problemSchema = (types: ProblemType[]) => ({
  allOf: [
    { $ref: '#/components/schemas/Problem' },
    { type: 'object' as const, properties: { type: { enum: types.map(problemUrn) } } },
  ],
});
