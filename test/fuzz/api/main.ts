import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { killLeftProcesses } from '../../support/processes/launch.ts';
import { createCallers } from './callers.ts';
import { fuzz } from './fuzz.ts';
import { formatReport } from './report.ts';
import { openStack } from './stack.ts';

/** `npm run test:fuzz`: sends valid and hostile requests to a service. Exit code 0: all answers are documented; 1: some are not;
 *  2: invalid options. */
const print = (line: string) => void process.stdout.write(`${line}\n`);
const { requests, seed } = readOptions();

let stack: Awaited<ReturnType<typeof openStack>> | undefined;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    void (stack?.close() ?? Promise.resolve()).finally(() => {
      killLeftProcesses();
      process.exit(130);
    });
  });
}

print(`seed ${seed}: building and starting a service`);
const ended: string[] = [];
stack = await openStack((what) => ended.push(what));
try {
  const response = await fetch(`${stack.baseUrl}/openapi.json`);
  const document = (await response.json()) as object;
  const callers = await createCallers(stack);
  const start = performance.now();
  const result = await fuzz({ baseUrl: stack.baseUrl, document, callers, requests, seed, print });
  print(formatReport(result, document));
  print(`${Math.round((performance.now() - start) / 1_000)} s`);
  for (const what of ended) print(`FAILED: ${what} exited unexpectedly`);
  const hasPassed = result.findings.length === 0 && ended.length === 0;
  if (!hasPassed)
    print(`npm run test:fuzz -- --requests ${requests} --seed ${seed}\n${errorsIn(stack.output())}`);
  process.exitCode = hasPassed ? 0 : 1;
} finally {
  await stack.close();
}

/** The first errors that the processes logged. */
function errorsIn(output: string): string {
  const errors = output.split('\n').filter((line) => /"level":(50|"error")/.test(line));
  return errors.slice(0, 10).join('\n');
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      requests: { type: 'string', default: '100000' },
      seed: { type: 'string', default: String(randomInt(1_000_000)) },
    },
  });
  const [requests, seed] = [Number(values.requests), Number(values.seed)];
  if (!(requests >= 1) || !Number.isSafeInteger(seed)) {
    process.stderr.write('Usage: npm run test:fuzz -- [--requests N] [--seed N]\n');
    process.exit(2);
  }
  return { requests, seed };
}
