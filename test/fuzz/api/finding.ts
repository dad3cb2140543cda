import { asCurl } from './curl.ts';
import type { Answer, Request } from './send.ts';

/** An answer that the document does not allow. */
export interface Finding {
  operation: string;
  /** What is wrong with it. */
  problem: string;
  /** The smallest request that was found to have such an answer, as a line for a shell. */
  curl: string;
  answer: string;
}

/** Thrown for a request that was answered with what the document does not allow. */
export class Misbehaviour extends Error {
  override readonly name = 'Misbehaviour';
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

/** Throws what is no Misbehaviour. */
export function findingOf(error: unknown, baseUrl: string): Finding {
  if (!(error instanceof Misbehaviour)) throw error;
  const { message: problem, operation, request, answer } = error;
  return {
    operation,
    problem,
    curl: asCurl(baseUrl, request),
    answer:
      answer instanceof Error ? String(answer) : `${answer.status} ${answer.body.toString().slice(0, 500)}`,
  };
}
