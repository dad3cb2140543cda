import { databaseSettings } from '../config/database.ts';
import { loadConfigOrExit } from '../config/load.ts';
import { allowUpperCase, foldCodes } from '../keys/code-folding.ts';
import { openPostgres } from '../storage/postgres/postgres.ts';
import { requireSchema } from '../storage/schema/require-schema.ts';
import { readArguments } from './command-line.ts';

/** `npm run fold-codes`: prepares a database for CODES_IGNORE_CASE. Exit code 0 on success, else 1. */

/** A statement may wait for other sessions, and the table may be large. */
const queryTimeoutMs = 3_600_000;

const usage = `Usage: npm run fold-codes [-- --undo]
  Converts every short code of DATABASE_URL (or of DATABASE_DIRECT_URL, if set) to lower case, as CODES_IGNORE_CASE requires.
  Changes nothing if two codes would become equal. Exit code 0 when all codes are in lower case, else 1.
  --undo  Allow upper case letters in new codes again; existing codes stay in lower case.
`;

const print = (line: string) => void process.stderr.write(`${line}\n`);
const { isUndo } = readArguments(usage, readUndo);
const config = loadConfigOrExit(databaseSettings);
const url = config.DATABASE_DIRECT_URL ?? config.DATABASE_URL;
const db = openPostgres({ url, poolMax: 3, queryTimeoutMs, name: 'fold-codes' });
try {
  await requireSchema(db, print);
  if (isUndo) {
    await allowUpperCase(db);
    process.stdout.write('New short codes may contain upper case letters.\n');
  } else {
    const count = await foldCodes(db);
    process.stdout.write(`All short codes are in lower case; ${count} were converted.\n`);
  }
} catch (error) {
  print(`fold-codes failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  await db.destroy();
}

function readUndo(args: string[]): { isUndo: boolean } {
  const unknown = args.find((argument) => argument !== '--undo');
  if (unknown !== undefined) throw new Error(`Unknown argument: ${unknown}`);
  return { isUndo: args.length > 0 };
}
