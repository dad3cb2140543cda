import type { z } from 'zod';
import { writeToStandardError } from '../logging/standard-error.ts';
import { readGiven } from './given.ts';
import { misspelt } from './misspelt.ts';
import { joinStoreParts } from './store-parts.ts';

/** Says which settings are wrong and why, one line each, without their values: some are secrets. */
export class ConfigError extends Error {
  readonly problems: string[];
  constructor(problems: string[]) {
    super(`The environment is not usable:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.problems = problems;
  }
}

/** Turns environment variables into checked, frozen settings; an empty variable counts as unset, and `NAME_FILE` names a file that holds the
 *  value of `NAME`. The URL of a store has its parts and certificates in it. Throws a ConfigError that names every problem at once. */
export function loadConfig<Schema extends z.ZodObject>(
  schema: Schema,
  env: NodeJS.ProcessEnv,
): Readonly<z.infer<Schema>> {
  const given = readGiven(env, Object.keys(schema.shape));
  joinStoreParts(given, env);
  const { values } = given;
  const parsed = schema.safeParse(values);
  const problems = [...given.problems.values()].filter(Boolean);
  if (parsed.success && problems.length === 0) return Object.freeze(parsed.data);
  for (const { code, path, message } of parsed.error?.issues ?? []) {
    const name = path.join('.');
    if (given.problems.has(name)) continue;
    // A default can break a rule too: then its name and the rule help, "is not set" would not.
    const isMissing = code === 'invalid_type' && values[name] === undefined;
    problems.push(isMissing ? `${name} is not set` : `${name} ${message}`.trim());
  }
  throw new ConfigError(problems);
}

/** The settings of this process; prints every problem and ends the process where there are any. */
export function loadConfigOrExit<Schema extends z.ZodObject>(schema: Schema): Readonly<z.infer<Schema>> {
  for (const [name, meant] of misspelt(Object.keys(process.env)))
    writeToStandardError(`${name} is not a setting of Linkmill and has no effect: did you mean ${meant}?\n`);
  try {
    return loadConfig(schema, process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    writeToStandardError(`${error.message}\n`);
    return process.exit(1);
  }
}
