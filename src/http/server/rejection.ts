import type { ServerResponse } from 'node:http';
import { presentProblem, problemHeaders, unavailable } from '../problems/problem.ts';

const retryAfterSeconds = 1;

/** Creates a 503 response with `Retry-After` that is cheap to send: its body and headers are built once. */
export function createRejection(
  detail: string,
  baseUrl: string | undefined,
  extraHeaders: Record<string, string> = {},
) {
  const problem = unavailable(detail, retryAfterSeconds);
  const body = JSON.stringify(presentProblem(problem, baseUrl));
  const headers = {
    ...problem.headers,
    ...problemHeaders,
    'Content-Length': Buffer.byteLength(body),
    ...extraHeaders,
  };
  return (response: ServerResponse): void => void response.writeHead(503, headers).end(body);
}
