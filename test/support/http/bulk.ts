import { expect } from 'vitest';
import type { Answer } from './client.ts';

/** The result of an item in a bulk request. */
export interface Result {
  short_code?: string;
  status: number;
  url?: Record<string, unknown>;
  problem?: Record<string, unknown>;
}

/** The results of a bulk request. */
export function resultsOf({ status, body }: Answer): Result[] {
  expect(status).toBe(200);
  return body['results'] as Result[];
}
