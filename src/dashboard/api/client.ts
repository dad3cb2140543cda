import { signal } from '@preact/signals';
import { basePath } from '../routing/router.ts';
import { offline, readProblem } from './problem.ts';
import type { AnswerOf, Method, OperationAt, PathOf, RequestOf } from './types.ts';

/** Increases each time the service answers 401. */
export const rejections = signal(0);

export interface Options {
  query?: Record<string, unknown>;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
}

export interface Answer<Body> {
  status: number;
  headers: Headers;
  body: Body;
}

/** The address of a path of the service, with the parameters that are given. */
export function addressOf(path: string, query: Record<string, unknown> = {}): string {
  const search = new URLSearchParams();
  for (const [name, given] of Object.entries(query))
    for (const value of Array.isArray(given) ? given : [given])
      if (value !== undefined) search.append(name, String(value));
  const text = search.toString();
  return `${basePath}${path}${text === '' ? '' : `?${text}`}`;
}

/** Sends a request to any path of the service. Throws a Problem. */
export async function send<Body>(method: string, path: string, options: Options = {}): Promise<Answer<Body>> {
  const { query, body, headers, signal: abort } = options;
  const isFile = body instanceof Blob;
  let response: Response;
  try {
    response = await fetch(addressOf(path, query), {
      method: method.toUpperCase(),
      headers: {
        accept: 'application/json',
        ...(body !== undefined && !isFile && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: isFile ? body : JSON.stringify(body) }),
      ...(abort && { signal: abort }),
    });
  } catch (error) {
    if (abort?.aborted) throw error;
    throw offline();
  }
  if (!response.ok) {
    const problem = await readProblem(response);
    if (problem.status === 401 && !path.endsWith('/sessions')) rejections.value += 1;
    throw problem;
  }
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: (text === '' ? undefined : JSON.parse(text)) as Body,
  };
}

/** Sends a request to an operation of the API, whose types it has. Throws a Problem. */
export async function call<M extends Method, P extends PathOf<M>>(
  method: M,
  path: P,
  options: RequestOf<OperationAt<M, P>> & Pick<Options, 'headers' | 'signal'> = {},
): Promise<Answer<AnswerOf<OperationAt<M, P>>>> {
  const { params, ...rest } = options as { params?: Record<string, string | number> };
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params?.[name] ?? ''));
  return await send(method, filled, rest);
}

/** The JSON that an operation answers to GET. */
export async function get<P extends PathOf<'get'>>(
  path: P,
  options: RequestOf<OperationAt<'get', P>> & Pick<Options, 'headers' | 'signal'> = {},
): Promise<AnswerOf<OperationAt<'get', P>>> {
  return (await call('get', path, options)).body;
}
