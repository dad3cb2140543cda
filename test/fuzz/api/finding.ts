import { asCurl } from './curl.ts';
import type { Answer, Request } from './send.ts';

/** An answer that the document does not allow. */
export interface Finding {
  operation: string;
  /** The violation. */
  problem: string;
  /** The smallest request with such an answer, as a curl command. */
  curl: string;
  answer: string;
}

/** The answer of a request violates the document. */
export class UndocumentedAnswer extends Error {
  override readonly name = 'UndocumentedAnswer';
  readonly operation: string;
  readonly request: Request;
  readonly answer: Answer | Error;
  constructor(problem: string, operation: string, request: Request, answer: Answer | Error) {
    super(problem);
    this.operation = operation;
    this.request = request;
    this.answer = answer;
  }
}

/** The finding of an UndocumentedAnswer; rethrows other errors. */
export function findingOf(error: unknown, baseUrl: string): Finding {
  if (!(error instanceof UndocumentedAnswer)) throw error;
  const { message: problem, operation, request, answer } = error;
  return {
    operation,
    problem,
    curl: asCurl(baseUrl, request),
    answer:
      answer instanceof Error ? String(answer) : `${answer.status} ${answer.body.toString().slice(0, 500)}`,
  };
}
