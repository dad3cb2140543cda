import type { IncomingMessage, ServerResponse } from 'node:http';
import accepts from 'accepts';
import type { ProblemType } from '../problems/problem-types.ts';
import { Problem, urlNotFound } from '../problems/problem.ts';
import type { Negotiation, ProblemAnswer, ProblemAnswers } from '../server/problem-answers.ts';
import { rawPathOf } from '../server/target-path.ts';

/** Answers a visit of an unknown short code ahead of Koa, which would take several times as long: scanners request many. The answer has the
 *  bytes that Koa's would have. */
export type AnswerNotFound = (request: IncomingMessage, response: ServerResponse) => void;

export function createNotFoundAnswer(deps: {
  presentProblem: ProblemAnswers;
  /** Charges an unknown code to its client address. Throws a 429 over the limit. */
  chargeUnknownCode: (request: IncomingMessage) => void;
  /** Is called with the problem of each answer. */
  onProblem: (type: ProblemType) => void;
}): AnswerNotFound {
  const { presentProblem, chargeUnknownCode, onProblem } = deps;
  const notFound = urlNotFound();
  /** The answer for clients without preferences, such as scanners: JSON, which does not name the code. */
  let usual: ProblemAnswer | undefined;

  function problemOf(request: IncomingMessage): Problem {
    try {
      chargeUnknownCode(request);
      return notFound;
    } catch (error) {
      if (error instanceof Problem) return error;
      throw error;
    }
  }

  return (request, response) => {
    const problem = problemOf(request);
    onProblem(problem.type);
    const present = () =>
      presentProblem(problem, negotiationOf(request, response), `/${rawPathOf(request.url!)}`);
    const isUsual = problem === notFound && !hasPreferences(request);
    const { headers, body } = isUsual ? (usual ??= present()) : present();
    response.statusCode = problem.status;
    // Not by writeHead: the end may wait for the body of the request, and close the connection.
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    response.setHeader('Content-Length', Buffer.byteLength(body));
    response.end(body);
  };
}

/** Whether a client may prefer a page to JSON. */
const hasPreferences = ({ headers: { accept } }: IncomingMessage) => accept !== undefined && accept !== '*/*';

/** The negotiation of a request, as in Koa's context. */
function negotiationOf(request: IncomingMessage, response: ServerResponse): Negotiation {
  const accept = accepts(request);
  return {
    accepts: (...types: string[]) => accept.types(types),
    acceptsLanguages: (...languages: string[]) => accept.languages(languages),
    vary: (field: string) => void response.setHeader('Vary', field),
  } as Negotiation;
}
