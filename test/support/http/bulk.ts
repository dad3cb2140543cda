import { expect } from 'vitest';
import type { Answer } from './client.ts';

/** What became of one of many. */
export interface Result {
  short_code?: string;
  status: number;
  url?: Record<string, unknown>;
  problem?: Record<string, unknown>;
}

/** What became of each, as an answer of the API for many says it. */
export function resultsOf({ status, body }: Answer): Result[] {
  expect(status).toBe(200);
  return body['results'] as Result[];
}
