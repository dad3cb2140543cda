import type { z } from 'zod';
import type { ZodOpenApiContentObject, ZodOpenApiResponsesObject } from 'zod-openapi';
import { type ProblemType, problemTypes, problemUri } from '../problems/problem-types.ts';
import type { Replies } from '../routes/reply.ts';

const text = { schema: { type: 'string' as const } };

/** Describes the answers that a route declares. */
export const responsesOfReplies = (replies: Replies): ZodOpenApiResponsesObject =>
  Object.fromEntries(
    Object.entries(replies).map(([status, { description, body, content = [], headers = {} }]) => [
      status,
      {
        description,
        headers: Object.fromEntries(
          Object.entries(headers).map(([name, meaning]) => [name, { description: meaning, ...text }]),
        ),
        content: {
          ...contentOf(content, undefined),
          ...(body && { 'application/json': { schema: body } }),
        },
      },
    ]),
  );

/** Describes a body of these media types: with a schema, or as text. */
export const contentOf = (types: readonly string[], schema: z.ZodType | undefined): ZodOpenApiContentObject =>
  Object.fromEntries(types.map((type) => [type, schema ? { schema } : text]));

export type DescribeProblems = ReturnType<typeof createDescribeProblems>;

/** Describes an answer for each status of problem types. */
export function createDescribeProblems(baseUrl: string) {
  const schemaOf = (types: ProblemType[]) => ({
    allOf: [
      { $ref: '#/components/schemas/Problem' },
      {
        type: 'object' as const,
        properties: { type: { enum: types.map((type) => problemUri(type, baseUrl)) } },
      },
    ],
  });

  /** `mayBePage`: browsers get a page instead. */
  return (problems: readonly ProblemType[], { mayBePage = false } = {}): ZodOpenApiResponsesObject => {
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
          content: {
            'application/problem+json': { schema: schemaOf(typesOf(status)) },
            ...(mayBePage && { 'text/html': text }),
          },
        },
      ]),
    );
  };
}
