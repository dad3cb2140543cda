import type { Context } from 'koa';
import type { z } from 'zod';
import type { ApiKey } from '../../api-keys/api-key.ts';
import type { Scope } from '../../api-keys/scopes.ts';
import type { IdempotencyKey } from '../../urls/store/idempotency-key.ts';
import type { Owner } from '../../urls/store/owner.ts';
import type { ProblemType } from '../problems/problem-types.ts';
import type { AnswerOf, Replies } from '../routes/reply.ts';
import type { Tag } from './tags.ts';

/** Maximum length of a body, unless the operation sets another. */
export const defaultBodyBytes = 64 * 1024;

/** An operation of the API, declared once: validation, the types of its handler and its documentation derive from this. */
export interface Operation {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** In OpenAPI's syntax, with parameters in braces. */
  path: `/api/v1/${string}`;
  tag: Tag;
  summary: string;
  description?: string;
  /** The scope that the API key of a request needs: `any` for every valid key, `none` for an operation without an API key. */
  scope: Scope | 'any' | 'none';
  params?: z.ZodObject;
  query?: z.ZodType<object>;
  body?: z.ZodType;
  /** Maximum length of the body; `defaultBodyBytes` by default. */
  maxBodyBytes?: number;
  /** Media types of a body that is not JSON; the handler reads it as a stream. */
  upload?: readonly string[];
  /** Descriptions of its request headers. */
  headers?: Readonly<Record<string, string>>;
  /** Whether it supports `Idempotency-Key`. */
  isIdempotent?: boolean;
  /** How many requests it counts as in the rate limit of its API key; 1 by default. */
  weightOf?(input: RequestInput): number;
  /** A GET with side effects, which does not support HEAD. */
  isUnsafe?: boolean;
  replies: Replies;
  /** Its own problem types, in addition to those of every request. */
  problems: readonly ProblemType[];
}

/** The parsed parts of a request. */
export interface RequestInput {
  params?: unknown;
  query?: unknown;
  body?: unknown;
}

type Parsed<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined;

/** A validated request. */
interface ValidRequest<Op extends Operation> {
  params: Parsed<Op['params']>;
  query: Parsed<Op['query']>;
  body: Parsed<Op['body']>;
  /** For headers and uploaded bodies. */
  ctx: Context;
}

/** What the API key of an authorised request determines. */
interface Authorisation {
  apiKey: ApiKey;
  /** Restricts SQL to the short URLs that the API key has access to. */
  owner: Owner;
  /** The key of the request, where the operation supports one. */
  idempotencyKey: IdempotencyKey | undefined;
}

/** A validated and, unless the operation needs no API key, authorised request. */
export type ApiRequest<Op extends Operation> = ValidRequest<Op> &
  (Op['scope'] extends 'none' ? unknown : Authorisation);

/** An answer that the operation declares. */
export type ApiAnswer<Op extends Operation> = AnswerOf<Op['replies']>;

export type Operations = Readonly<Record<string, Operation>>;

/** A handler for each operation; a missing one does not compile. */
export type Handlers<Ops extends Operations> = {
  [Name in keyof Ops]: (request: ApiRequest<Ops[Name]>) => Promise<ApiAnswer<Ops[Name]>>;
};

/** Items of a bulk request that count as one request. */
const itemsPerRequest = 10;

/** How many requests a bulk request of this many items counts as. */
export const weigh = (items: number) => Math.ceil(items / itemsPerRequest);

/** Bytes of a body that count as one request: parsing and validation block the event loop. */
const bytesPerRequest = 16 * 1024;

/** How many requests a body of this length counts as. */
export const weighBytes = (bytes: number) => Math.ceil(bytes / bytesPerRequest);
