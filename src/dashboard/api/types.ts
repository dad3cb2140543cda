import type { z } from 'zod';
import type { operations } from '../../http/api/api.ts';

type Operation = (typeof operations)[keyof typeof operations];

export type Method = Operation['method'];
export type PathOf<M extends Method> = Extract<Operation, { method: M }>['path'];
export type OperationAt<M extends Method, P extends string> = Extract<Operation, { method: M; path: P }>;

type Scalar = string | number | boolean | undefined;

/** What a request to an operation takes. */
export interface RequestOf<Op> {
  params?: Op extends { params: infer S extends z.ZodType }
    ? Record<keyof z.input<S> & string, string | number>
    : never;
  query?: Op extends { query: infer S extends z.ZodType }
    ? { [Name in keyof z.input<S>]?: Scalar | readonly string[] }
    : never;
  body?: Op extends { body: infer S extends z.ZodType } ? z.input<S> : unknown;
}

type Successes = 200 | 201 | 202;

/** The JSON that an operation answers. */
export type AnswerOf<Op> = Op extends { replies: infer Replies }
  ? {
      [Status in keyof Replies & Successes]: Replies[Status] extends { body: infer S extends z.ZodType }
        ? z.output<S>
        : undefined;
    }[keyof Replies & Successes]
  : never;

/** An item of a list that an operation answers. */
type ItemOf<P extends PathOf<'get'>> =
  AnswerOf<OperationAt<'get', P>> extends { items: (infer Item)[] } ? Item : never;

export type ShortUrl = ItemOf<'/api/v1/urls'>;
export type UrlInput = z.input<OperationAt<'post', '/api/v1/urls'>['body']>;
export type UrlPatch = z.input<OperationAt<'patch', '/api/v1/urls/{short_code}'>['body']>;
export type Metrics = AnswerOf<OperationAt<'get', '/api/v1/analytics'>>;
export type Summary = ItemOf<'/api/v1/tags'>;
export type ApiKey = ItemOf<'/api/v1/api-keys'>;
export type ServiceInfo = AnswerOf<OperationAt<'get', '/api/v1/service'>>;
export type Import = ItemOf<'/api/v1/imports'>;
export type Report = ItemOf<'/api/v1/reports'>;
