import type { ZodOpenApiOperationObject, ZodOpenApiPathsObject } from 'zod-openapi';
import type { Tag } from '../api/tags.ts';
import type { ProblemType } from '../problems/problem-types.ts';
import { publicRoutes } from '../public-routes.ts';
import { visitRoutes } from '../redirect/visit-routes.ts';
import type { PublicRoute } from '../routes/public-route.ts';
import { isOperatorPath } from '../server/operator-paths.ts';
import { isVisitorPath } from '../server/problem-answers.ts';
import { contentOf, type DescribeProblems, responsesOfReplies } from './responses.ts';

const tags: Tag[] = ['Public'];

/** The paths that need no API key. */
export function publicPaths(describeProblems: DescribeProblems): ZodOpenApiPathsObject {
  const paths: Record<string, Record<string, ZodOpenApiOperationObject>> = {};
  for (const [operationId, route] of Object.entries<PublicRoute>({ ...visitRoutes, ...publicRoutes })) {
    const { method, path } = route;
    paths[path] = { ...paths[path], [method]: { operationId, ...describe(route, describeProblems) } };
  }
  return paths;
}

function describe(route: PublicRoute, describeProblems: DescribeProblems): ZodOpenApiOperationObject {
  const { path, summary, description, params, query, body, takesToken = false, replies } = route;
  return {
    tags,
    security: takesToken ? [{ bearer: [] }, {}] : [],
    summary,
    description,
    requestParams: { ...(params && { path: params }), ...(query && { query }) },
    ...(body && { requestBody: { content: contentOf(body.types, body.schema) } }),
    responses: {
      ...describeProblems(problemsOf(route), { mayBePage: isVisitorPath(path) }),
      ...responsesOfReplies(replies),
    },
  };
}

/** The route's own problem types, and those that every request of its kind can get: rate limits and load shedding exempt operators. */
const problemsOf = ({ path, problems }: PublicRoute): ProblemType[] => [
  ...problems,
  ...(isOperatorPath(path) ? [] : (['rate-limited', 'unavailable'] as const)),
  'internal-error',
];
