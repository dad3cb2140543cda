import { withoutLineEnd } from '../storage/connections/password-file.ts';
import { readRegularFile, UnreadableFile } from '../storage/connections/regular-file.ts';

/** The values of settings, as text. */
export type Values = Record<string, string>;

export interface Given {
  values: Values;
  /** Where a value comes from a file: its path. */
  files: Values;
  /** What is wrong, one line each, without values; by the name of the setting. */
  problems: Map<string, string>;
}

/** Settings whose value has several lines. */
const holdsPem = /_(CA|CERT|KEY)$/;
/** What Kubernetes and Docker set for a service of such a name. */
const isServiceLink = (name: string, value: string) => name.endsWith('PORT') && /^(tcp|udp):\/\//.test(value);

/** Reads the settings of these names from the environment: `NAME`, or the file that `NAME_FILE` names. A value that is blank counts as unset;
 *  line breaks at its end are cut off, quotes around it and other line breaks are refused. */
export function readGiven(env: NodeJS.ProcessEnv, names: string[]): Given {
  const given: Given = { values: {}, files: {}, problems: new Map() };
  for (const name of names) {
    try {
      const value = readValue(name, env, given.files);
      if (value !== undefined) given.values[name] = value;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      given.problems.set(name, error.message);
    }
  }
  return given;
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
