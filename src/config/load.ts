import type { z } from 'zod';

/** Says which settings are wrong and why, one line each, without their values: some are secrets. */
export class ConfigError extends Error {
  readonly problems: string[];
  constructor(problems: string[]) {
    super(`The environment is not usable:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.problems = problems;
  }
}

/** Turns environment variables into checked, frozen settings; an empty variable counts as unset.
 *  Throws a ConfigError that names every problem at once. */
export function loadConfig<Schema extends z.ZodType>(
  schema: Schema,
  env: NodeJS.ProcessEnv,
): Readonly<z.infer<Schema>> {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const parsed = schema.safeParse(given);
  if (parsed.success) return Object.freeze(parsed.data);
  const problems = parsed.error.issues.map(({ code, path, message }) => {
    const name = path.join('.');
    // A default can break a rule too: then its name and the rule help, "is not set" would not.
    const isMissing = code === 'invalid_type' && given[name] === undefined;
    return isMissing ? `${name} is not set` : `${name} ${message}`.trim();
  });
  throw new ConfigError(problems);
}

/** The settings of this process; prints every problem and ends the process where there are any. */
export function loadConfigOrExit<Schema extends z.ZodType>(schema: Schema): Readonly<z.infer<Schema>> {
  try {
    return loadConfig(schema, process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return process.exit(1);
  }
}
