import { expect } from 'vitest';
import { type ProblemType, problemTypes, problemUri } from '../../../src/http/problems/problem-types.ts';
import type { Answer } from './client.ts';

/** An answer of the API, or the result of an item in a bulk request. */
type Answered = Answer | { status: number; problem?: Record<string, unknown> };

interface Matchers {
  /** Asserts that the answer is a problem of this type, with the type's status or the given one. */
  toBeProblem: (type: ProblemType, status?: number) => void;
  /** Asserts that the answer redirects to this URL, with any redirect status or the given one. */
  toRedirectTo: (url: string, status?: number) => void;
}

declare module 'vitest' {
  // oxlint-disable-next-line typescript/no-empty-object-type, typescript/no-unused-vars -- merges with vitest's own
  interface Assertion<T> extends Matchers {}
}

expect.extend({
  toBeProblem(answer: Answered, type: ProblemType, status: number = problemTypes[type].status) {
    const problem = 'body' in answer ? answer.body : (answer.problem ?? {});
    const { detail, ...body } = problem;
    const received = { answer: answer.status, ...pick(body), ...('headers' in answer && headersOf(answer)) };
    const expected = {
      answer: status,
      type: uriOf(type),
      title: problemTypes[type].title,
      status,
      ...('headers' in answer && problemHeaders),
    };
    return {
      pass: this.equals(received, expected) && typeof detail === 'string' && detail !== '',
      message: () => `expected the problem ${type}, received ${JSON.stringify(problem)}`,
      actual: received,
      expected,
    };
  },

  toRedirectTo(
    { status, headers }: Pick<Answer, 'status' | 'headers'>,
    url: string,
    expectedStatus?: number,
  ) {
    const location = headers.get('location');
    const hasStatus = expectedStatus === undefined ? status > 300 && status < 309 : status === expectedStatus;
    return {
      pass: hasStatus && location === url,
      message: () => `expected a redirect to ${url}, received ${status} ${location}`,
      actual: { status, location },
      expected: { status: expectedStatus ?? status, location: url },
    };
  },
});

/** The address of a problem type at any base URL. */
const uriOf = (type: ProblemType): unknown =>
  expect.stringMatching(new RegExp(`^${problemUri(type, 'https?://[^#]+')}$`));

const pick = ({ type, title, status }: Record<string, unknown>) => ({ type, title, status });

const problemHeaders = { contentType: 'application/problem+json', cacheControl: 'no-store' };

const headersOf = ({ headers }: Answer) => ({
  contentType: headers.get('content-type')?.replace(/;.*/, ''),
  cacheControl: headers.get('cache-control'),
});
