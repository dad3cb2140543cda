import { parseArgs } from 'node:util';

/** Parses the options of `npm run bench -- …`; exits with code 2 when they are invalid. */
export function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        quick: { type: 'boolean', default: false },
        starts: { type: 'string' },
        rounds: { type: 'string' },
        seconds: { type: 'string' },
        only: { type: 'string' },
        write: { type: 'boolean' },
        check: { type: 'boolean', default: false },
        profile: { type: 'string' },
      },
    });
    const { quick, only, check, profile } = values;
    return {
      starts: count('starts', values.starts ?? (quick ? '1' : '5')),
      rounds: count('rounds', values.rounds ?? (quick ? '3' : '2')),
      seconds: count('seconds', values.seconds ?? (quick ? '1' : '2')),
      /** A quick run does not repeat disturbed windows. */
      tries: quick ? 1 : 3,
      /** Ids of subjects; all by default. */
      only: only?.split(',').map((id) => id.trim()),
      /** Whether RESULTS.md is written: by default only after a full run. */
      write: values.write ?? !(quick || only !== undefined || profile !== undefined),
      /** Whether a redirect that has become more expensive fails the run. */
      check,
      /** The folder in which every process writes its CPU profile. */
      profile,
    };
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return process.exit(2);
  }
}

function count(name: string, text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new Error(`--${name} must be a whole number from 1`);
  return Number(text);
}
