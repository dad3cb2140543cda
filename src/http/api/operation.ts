import type { Readable } from 'node:stream';
import type { Context } from 'koa';
import type { z } from 'zod';
import type { ApiKey } from '../../api-keys/api-key.ts';
import type { Scope } from '../../api-keys/scopes.ts';
import type { IdempotencyKey } from '../../urls/store/idempotency-key.ts';
import type { Owner } from '../../urls/store/owner.ts';
import type { ProblemType } from '../problems/problem.ts';
import type { Tag } from './tags.ts';

/** Longest body of an operation that says nothing about it. */
export const usualBodyBytes = 64 * 1024;

/** What an operation may answer, under one status. */
interface Reply {
  description: string;
  /** The JSON that it carries. */
  body?: z.ZodType;
  /** Or the type of something else that it carries. */
  content?: readonly string[];
  /** What its own headers say. */
  headers?: Readonly<Record<string, string>>;
}

/** One kind of request of the API: who may send it, what it takes and what it gives. What validates it, what types its handler
 *  and what documents it are all made from this. */
export interface Operation {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** As OpenAPI writes it: parameters in braces. */
  path: `/api/v1/${string}`;
  tag: Tag;
  summary: string;
  description?: string;
  /** What an API key must be allowed to do; `any` where a valid one is enough. */
  scope: Scope | 'any';
  params?: z.ZodObject;
  query?: z.ZodType<object>;
  body?: z.ZodType;
  /** Longest body; `usualBodyBytes` unless it says so. */
  maxBodyBytes?: number;
  /** Types of a body that is not JSON and that its handler reads as it comes. */
  upload?: readonly string[];
  /** Request headers that mean something to it, and what. */
  headers?: Readonly<Record<string, string>>;
  /** It does its work once for an `Idempotency-Key`. */
  isIdempotent?: boolean;
  /** How many requests it counts as, by what it asks for, within what its API key may send; one unless it says so. */
  weightOf?: (asked: never) => number;
  /** A GET that changes something: there is no HEAD of it. */
  isUnsafe?: boolean;
  replies: Readonly<Record<number, Reply>>;
  /** Problems of its own, besides those that any request may have. */
  problems: readonly ProblemType[];
}

type Parsed<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined;

/** A request that has been found in order. */
export interface ApiRequest<Op extends Operation> {
  params: Parsed<Op['params']>;
  query: Parsed<Op['query']>;
  body: Parsed<Op['body']>;
  apiKey: ApiKey;
  /** Whose short URLs it may read and change: for the domain, whose SQL sees to it. */
  owner: Owner;
  /** Where it came with one and the operation honours it. */
  idempotencyKey: IdempotencyKey | undefined;
  /** For what else a handler may need, such as headers and an uploaded body. */
  ctx: Context;
}

type BodyOf<Given> = Given extends { body: infer Schema extends z.ZodType }
  ? { body: z.input<Schema> }
  : Given extends { content: readonly string[] }
    ? { body: string | Buffer | Readable; type: Given['content'][number] }
    : { body?: undefined };

/** One of the answers that an operation says it gives. */
export type ApiAnswer<Op extends Operation> = {
  [Status in keyof Op['replies'] & number]: {
    status: Status;
    headers?: Record<string, string>;
  } & BodyOf<Op['replies'][Status]>;
}[keyof Op['replies'] & number];

export type Operations = Readonly<Record<string, Operation>>;

/** What answers each of these operations; one that has no handler does not compile. */
export type Handlers<Ops extends Operations> = {
  [Name in keyof Ops]: (request: ApiRequest<Ops[Name]>) => Promise<ApiAnswer<Ops[Name]>>;
};

/** Things that count as one request where many are asked for at once. */
const thingsPerRequest = 10;

/** How many requests so many things count as: fewer than if each came alone. */
export const weigh = (things: number) => Math.ceil(things / thingsPerRequest);

/** Bytes of a body that count as one request, whatever they say: reading and checking them takes the event loop. */
const bytesPerRequest = 16 * 1024;

/** How many requests a body counts as. */
export const weighBytes = (bytes: number) => Math.ceil(bytes / bytesPerRequest);
