import type { Readable } from 'node:stream';
import type { Context } from 'koa';
import type { z } from 'zod';

/** An answer that a route declares. */
export interface Reply {
  description: string;
  /** The schema of its JSON body. */
  body?: z.ZodType;
  /** The media types of bodies that the handler serialises itself. */
  content?: readonly string[];
  /** Descriptions of its headers. */
  headers?: Readonly<Record<string, string>>;
}

/** The answers of a route, by status. */
export type Replies = Readonly<Record<number, Reply>>;

type JsonBody<Given> = Given extends { body: infer Schema extends z.ZodType }
  ? { body: z.input<Schema>; type?: undefined }
  : never;

type OtherBody<Given> = Given extends { content: readonly string[] }
  ? { body: string | Buffer | Readable; type: Given['content'][number] }
  : never;

type BodyOf<Given> = Given extends { body: z.ZodType } | { content: readonly string[] }
  ? JsonBody<Given> | OtherBody<Given>
  : { body?: undefined; type?: undefined };

/** An answer that the route declares. */
export type AnswerOf<Declared extends Replies> = {
  [Status in keyof Declared & number]: {
    status: Status;
    headers?: Readonly<Record<string, string>>;
  } & BodyOf<Declared[Status]>;
}[keyof Declared & number];

/** Any answer of any route. */
export interface Answer {
  status: number;
  headers?: Readonly<Record<string, string>>;
  type?: string | undefined;
  body?: unknown;
}

/** Sends an answer. Its headers may specify the media type with parameters. */
export function sendAnswer(ctx: Context, { status, headers = {}, type, body }: Answer): void {
  ctx.status = status;
  if (type !== undefined) ctx.type = type;
  ctx.set(headers);
  if (body !== undefined) ctx.body = body;
}
