import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import type { Callers } from './callers.ts';
import { type Finding, findingOf, UndocumentedAnswer } from './finding.ts';
import { createKnownValues } from './generators/known-values.ts';
import { type Plan, requestsOf } from './generators/requests.ts';
import { resolve } from './generators/resolve-plan.ts';
import { readOperations } from './operations.ts';
import { createOracle } from './oracle.ts';
import { type Answer, createSender, type Request } from './send.ts';

export interface FuzzResult {
  requests: number;
  findings: Finding[];
  /** How often each operation was answered with each status. */
  answers: Map<string, Map<number, number>>;
  /** The total duration of the answers of each operation. */
  milliseconds: Map<string, number>;
}

/** Concurrent requests. */
const lanes = 12;
/** Number of findings after which a run stops. */
const enough = 25;
/** Maximum number of requests to shrink a finding. */
const mostShots = 300;

/** Attempts of a request that is answered 503. */
const mostAttempts = 4;

/** The finding that is being shrunk. */
interface Hunt {
  signature: string | undefined;
  shots: number;
}

/** Sends requests that are generated from the API document, and checks each answer against it. Equal seeds give equal requests,
 *  except for values from earlier answers. */
export async function fuzz(options: {
  baseUrl: string;
  document: object;
  callers: Callers;
  requests: number;
  seed: number;
  print?: (line: string) => void;
}): Promise<FuzzResult> {
  const { baseUrl, callers, requests, seed, print = () => {} } = options;
  const operations = readOperations(options.document);
  const plans = requestsOf(operations, callers.names);
  const sender = createSender(baseUrl, lanes);
  const { check } = createOracle();
  const knownValues = createKnownValues();
  const result: FuzzResult = { requests: 0, findings: [], answers: new Map(), milliseconds: new Map() };
  const seen = new Set<string>();

  /** Sends a request, again after an answer that says so, as a client does: a busy machine may answer 503 for a while. */
  async function ask(request: Request): Promise<Answer> {
    for (let attempt = 1; ; attempt += 1) {
      const answer = await sender.send(request);
      const retryAfterSeconds = Number(answer.headers['retry-after']);
      if (answer.status !== 503 || !(retryAfterSeconds > 0) || attempt === mostAttempts) return answer;
      await delay(retryAfterSeconds * 1_000);
    }
  }

  /** Throws an UndocumentedAnswer for a new finding, and afterwards only for the same one while it is shrunk. */
  async function tryOut(plan: Plan, hunt: Hunt): Promise<void> {
    if (hunt.signature !== undefined && hunt.shots++ > mostShots) return;
    const request = resolve(plan, knownValues, callers.headersOf);
    const operation = isOf(plan, request) ? plan.operation : undefined;
    const start = performance.now();
    const answer = await ask(request).catch((error: Error) => error);
    const spent = result.milliseconds.get(plan.operation.id) ?? 0;
    result.milliseconds.set(plan.operation.id, spent + performance.now() - start);
    result.requests += 1;
    if (result.requests % 10_000 === 0)
      print(`${result.requests} requests, ${result.findings.length} findings`);
    const problem = answer instanceof Error ? answer.message : check(operation, request, answer);
    if (problem === undefined) {
      await takeIn(plan, request, answer as Answer);
      return;
    }
    const signature = `${plan.operation.id} ${problem}`;
    if (hunt.signature === undefined && !seen.has(signature)) {
      seen.add(signature);
      hunt.signature = signature;
    }
    if (hunt.signature === signature)
      throw new UndocumentedAnswer(problem, plan.operation.id, request, answer);
  }

  async function takeIn(plan: Plan, request: Request, answer: Answer) {
    if (answer.status === 401) await callers.replace(plan.caller);
    if (!isOf(plan, request)) return;
    const { operation } = plan;
    const counts = result.answers.get(operation.id) ?? new Map<number, number>();
    result.answers.set(operation.id, counts.set(answer.status, (counts.get(answer.status) ?? 0) + 1));
    if (answer.status >= 300 || operation.isPublic) return;
    // Answers do not contain all input, such as passwords.
    knownValues.learn(operation.tag, {
      ...readObject(request.body),
      ...readObject(answer.body),
      'if-match': answer.headers['etag'],
    });
  }

  async function runLane(number: number): Promise<void> {
    let left = Math.ceil(requests / lanes);
    for (let turn = 0; left > 0 && result.findings.length < enough; turn++) {
      const hunt: Hunt = { signature: undefined, shots: 0 };
      const property = fc.asyncProperty(plans, async (plan) => await tryOut(plan, hunt));
      const run = await fc.check(property, { seed: seed + number + turn * lanes, numRuns: left });
      left -= run.numRuns;
      if (run.failed) result.findings.push(findingOf(run.errorInstance, baseUrl));
    }
  }

  await Promise.all(Array.from({ length: lanes }, (_, number) => runLane(number)));
  sender.close();
  return result;
}

/** The JSON object in a body; empty for other bodies. */
function readObject(body: Buffer | undefined): object {
  try {
    return Object(JSON.parse(String(body))) as object;
  } catch {
    return {};
  }
}

/** Whether a request still belongs to its operation: a changed method or path, or an empty path parameter, can match another one. */
function isOf({ operation, method, bend, path }: Plan, { target }: Request): boolean {
  const hasAll = Object.keys(path).length === 0 || !/\/(\/|\?|$)/.test(target.replace(/\?.*/s, ''));
  return method === operation.method && !bend && hasAll;
}
