import { withoutLineEnd } from '../../storage/connections/password-file.ts';
import { readRegularFile, UnreadableFile } from '../../storage/connections/regular-file.ts';

/** The texts of settings, by name. */
export type Values = Record<string, string>;

/** Settings as texts, before they are parsed. */
export interface RawSettings {
  values: Values;
  /** The paths of the files that values were read from. */
  files: Values;
  /** One line per problem, without values, by the name of the setting. */
  problems: Map<string, string>;
}

/** Settings whose value may have several lines. */
const holdsPem = /_(CA|CERT|KEY)$/;
/** Kubernetes and Docker set such a variable for a service with this name. */
const isServiceLink = (name: string, value: string) => name.endsWith('PORT') && /^(tcp|udp):\/\//.test(value);

/** Reads settings from the environment: `NAME`, or the file at the path `NAME_FILE`. A blank value counts as unset. Trailing line breaks are
 *  removed; quotes around the value and other line breaks are rejected. */
export function readRawSettings(env: NodeJS.ProcessEnv, names: string[]): RawSettings {
  const raw: RawSettings = { values: {}, files: {}, problems: new Map() };
  for (const name of names) {
    try {
      const value = readValue(name, env, raw.files);
      if (value !== undefined) raw.values[name] = value;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      raw.problems.set(name, error.message);
    }
  }
  return raw;
}

class Problem extends Error {}

function readValue(name: string, env: NodeJS.ProcessEnv, files: Values): string | undefined {
  const [direct, file] = [present(env[name]), present(env[`${name}_FILE`])];
  if (direct !== undefined && file !== undefined)
    throw new Problem(`${name} and ${name}_FILE are both set: keep one`);
  const value = file === undefined ? direct : readFile(name, file);
  if (value === undefined || isServiceLink(name, value)) return undefined;
  const source = file === undefined ? name : `${name}_FILE`;
  if (/^(["'`]).*\1$/s.test(value)) throw new Problem(`${source} is wrapped in quotes: remove them`);
  if (/[\r\n]/.test(value) && !holdsPem.test(name)) throw new Problem(`${source} has a line break in it`);
  if (file !== undefined) files[name] = file;
  return value;
}

function readFile(name: string, file: string): string {
  let text: string;
  try {
    text = readRegularFile(file);
  } catch (error) {
    if (!(error instanceof UnreadableFile)) throw error;
    throw new Problem(`${name}_FILE names a file that ${error.message}`, { cause: error });
  }
  const value = present(text);
  if (value === undefined) throw new Problem(`${name}_FILE names an empty file`);
  return value;
}

function present(text: string | undefined): string | undefined {
  return text === undefined || text.trim() === '' ? undefined : withoutLineEnd(text);
}
