import type { z } from 'zod';
import { writeToStandardError } from '../logging/standard-error.ts';
import { readRawSettings } from './environment/raw-settings.ts';
import { joinStoreParts } from './environment/store-parts.ts';
import { misspelt } from './misspelt.ts';

/** The environment is invalid: one line per problem, without values, because some are secrets. */
export class ConfigError extends Error {
  readonly problems: string[];
  constructor(problems: string[]) {
    super(`Invalid environment:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.problems = problems;
  }
}

/** Parses environment variables into frozen settings. The schemas in `web.ts`, `worker.ts` and `database.ts` declare each setting. An empty variable counts as unset, and `NAME_FILE` is the path of a file with the value
 *  of `NAME`. The URL of a store includes its parts and certificates. Throws a ConfigError with all problems. */
export function loadConfig<Schema extends z.ZodObject>(
  schema: Schema,
  env: NodeJS.ProcessEnv,
): Readonly<z.infer<Schema>> {
  const raw = readRawSettings(env, Object.keys(schema.shape));
  joinStoreParts(raw, env);
  const { values } = raw;
  const parsed = schema.safeParse(values);
  const problems = [...raw.problems.values()].filter(Boolean);
  if (parsed.success && problems.length === 0) return Object.freeze(parsed.data);
  for (const { code, path, message } of parsed.error?.issues ?? []) {
    const name = path.join('.');
    if (raw.problems.has(name)) continue;
    // A default can also violate a rule: then the rule helps, "is not set" would not.
    const isMissing = code === 'invalid_type' && values[name] === undefined;
    problems.push(isMissing ? `${name} is not set` : `${name} ${message}`.trim());
  }
  throw new ConfigError(problems);
}

/** The settings of this process; prints the problems and exits if there are any. */
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
