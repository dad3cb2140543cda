import { z } from 'zod';
import { CommandFailed, run } from '../services/run-command.ts';

const command = ['--enable-source-maps', 'dist/src/cli/api-key.js'];

/** The API key of the local stack: the stored key while it is valid, otherwise a new one. */
export async function ensureApiKey(
  stored: string | undefined,
  options: { cwd: string; env: NodeJS.ProcessEnv },
): Promise<string> {
  if (stored && (await isValid(stored, options))) return stored;
  const made = await run(process.execPath, [...command, 'create', '--name', 'local', '--json'], options);
  return z.object({ key: z.string().min(1) }).parse(JSON.parse(made)).key;
}

async function isValid(key: string, options: { cwd: string; env: NodeJS.ProcessEnv }): Promise<boolean> {
  try {
    await run(process.execPath, [...command, 'check'], { ...options, input: `${key}\n` });
    return true;
  } catch (error) {
    if (error instanceof CommandFailed && error.code === 1) return false;
    throw error;
  }
}
