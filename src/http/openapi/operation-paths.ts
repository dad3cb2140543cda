import type { z } from 'zod';
import type { ZodOpenApiOperationObject, ZodOpenApiPathsObject } from 'zod-openapi';
import { operations } from '../api/api.ts';
import { defaultBodyBytes, type Operation } from '../api/operation.ts';
import { patchTypes } from '../middleware/accept-patch.ts';
import type { ProblemType } from '../problems/problem-types.ts';
import { contentOf, type DescribeProblems, responsesOfReplies } from './responses.ts';

/** The paths of the API's operations. */
export function operationPaths(describeProblems: DescribeProblems): ZodOpenApiPathsObject {
  const paths: Record<string, Record<string, ZodOpenApiOperationObject>> = {};
  for (const [operationId, operation] of Object.entries<Operation>(operations)) {
    const { method, path } = operation;
    paths[path] = { ...paths[path], [method]: { operationId, ...describe(operation, describeProblems) } };
  }
  return paths;
}

function describe(operation: Operation, describeProblems: DescribeProblems): ZodOpenApiOperationObject {
  const { tag, summary, description, scope, params, query, headers = {}, isIdempotent, replies } = operation;
  return {
    tags: [tag],
    summary,
    description: [description, describeScope(scope)].filter(Boolean).join('\n\n'),
    ...(scope === 'none' && { security: [] }),
    requestParams: {
      ...(params && { path: params }),
      ...(query && { query: query as z.ZodObject }),
    },
    parameters: Object.entries({ ...headers, ...(isIdempotent && idempotencyKey) }).map(
      ([name, meaning]) => ({
        name,
        in: 'header' as const,
        description: meaning,
        schema: { type: 'string' },
      }),
    ),
    ...requestBodyOf(operation),
    responses: { ...responsesOfReplies(replies), ...describeProblems(problemsOf(operation)) },
  };
}

const idempotencyKey = {
  'Idempotency-Key':
    '1 to 255 visible ASCII characters. For 24 hours a repeated request with the same key returns the first result, with `Idempotent-Replayed: true`',
};

function describeScope(scope: Operation['scope']): string {
  if (scope === 'none') return 'Requires no API key.';
  return scope === 'any' ? 'Requires an API key.' : `Requires an API key with the scope \`${scope}\`.`;
}

function requestBodyOf({ method, body, upload, maxBodyBytes = defaultBodyBytes }: Operation) {
  if (upload) return { requestBody: { required: true, content: contentOf(upload, undefined) } };
  if (!body) return {};
  // A PATCH also accepts the media type of a merge patch.
  const types = method === 'patch' ? patchTypes : ['application/json'];
  const description = `At most ${maxBodyBytes / 1024} KiB.`;
  return { requestBody: { required: true, description, content: contentOf(types, body) } };
}

/** The operation's own problem types, and those that its kind of request can get. */
function problemsOf(operation: Operation): ProblemType[] {
  const { scope, problems, params, query, body, upload, isIdempotent } = operation;
  return [
    ...problems,
    'bad-request',
    'unauthorized',
    ...(scope === 'any' || scope === 'none' ? [] : (['insufficient-scope'] as const)),
    ...(scope === 'none' ? [] : (['cross-origin-request'] as const)),
    'rate-limited',
    'internal-error',
    'unavailable',
    ...(isIdempotent ? (['idempotency-key-reused'] as const) : []),
    ...(params || query || body ? (['validation-failed'] as const) : []),
    ...(body || upload ? (['malformed-json', 'too-large', 'unsupported-media-type'] as const) : []),
  ];
}
