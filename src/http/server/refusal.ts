import type { ServerResponse } from 'node:http';
import { presentProblem, problemHeaders, unavailable } from '../problems/problem.ts';

const retryAfterSeconds = 1;

/** Answers 503 with `Retry-After`, as cheaply as possible: it is for moments in which there is no time for more. */
export function createRejection(detail: string, more: Record<string, string> = {}) {
  const problem = unavailable(detail, retryAfterSeconds);
  const body = JSON.stringify(presentProblem(problem));
  const headers = {
    ...problem.headers,
    ...problemHeaders,
    'Content-Length': Buffer.byteLength(body),
    ...more,
  };
  return (response: ServerResponse): void => void response.writeHead(503, headers).end(body);
}
