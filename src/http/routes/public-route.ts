import type { Context } from 'koa';
import type { z } from 'zod';
import type { ProblemType } from '../problems/problem-types.ts';
import type { AnswerOf, Replies } from './reply.ts';

/** A body that a public route accepts. In a form, a blank field is absent. */
export interface PublicBody {
  schema: z.ZodType;
  types: readonly ('application/json' | 'application/x-www-form-urlencoded')[];
  maxBytes: number;
}

/** A route that needs no API key, declared once: validation, the types of its handler and its documentation derive from this. */
export interface PublicRoute {
  method: 'get' | 'post';
  /** In OpenAPI's syntax, with parameters in braces. */
  path: `/${string}`;
  summary: string;
  description: string;
  params?: z.ZodObject;
  query?: z.ZodObject;
  body?: PublicBody;
  /** Whether it accepts `METRICS_TOKEN` as bearer token. */
  takesToken?: boolean;
  replies: Replies;
  /** Its own problem types, in addition to those of every request. */
  problems: readonly ProblemType[];
}

export type PublicRoutes = Readonly<Record<string, PublicRoute>>;

type QueryOf<Route> = Route extends { query: infer Schema extends z.ZodType } ? z.output<Schema> : undefined;

type InputOf<Route> = Route extends { body: { schema: infer Schema extends z.ZodType } }
  ? z.output<Schema>
  : undefined;

/** A validated request. */
export interface PublicRequest<Route extends PublicRoute> {
  query: QueryOf<Route>;
  body: InputOf<Route>;
  /** For headers and the client address. */
  ctx: Context;
}

/** An answer that a public route declares. */
export type PublicAnswer<Route extends PublicRoute> = AnswerOf<Route['replies']>;

/** A handler for each route; a missing one does not compile. */
export type PublicHandlers<Routes extends PublicRoutes> = {
  [Name in keyof Routes]: (
    request: PublicRequest<Routes[Name]>,
  ) => PublicAnswer<Routes[Name]> | Promise<PublicAnswer<Routes[Name]>>;
};
