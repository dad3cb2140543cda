import path from 'node:path';

/** The settings of the local stack. */
export interface LocalSettings {
  port: number;
  baseUrl: string;
  /** The folder for data, logs and all other files of the stack. */
  folder: string;
  /** Settings that replace the generated ones. */
  given: Partial<Record<'DATABASE_URL' | 'REDIS_URL' | 'BULL_BOARD_USER' | 'BULL_BOARD_PASSWORD', string>>;
}

const oldestNode = [20, 19] as const;

/** Throws an Error if this Node.js is too old. */
export function checkNode(version = process.versions.node): void {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if ((major - oldestNode[0] || minor - oldestNode[1]) >= 0) return;
  throw new Error(`Node ${version} is too old: Linkmill needs ${oldestNode.join('.')} or newer`);
}

/** Reads PORT (3000), LINKMILL_LOCAL_DIR (`.local` in the checkout), DATABASE_URL, REDIS_URL, BULL_BOARD_USER and
 *  BULL_BOARD_PASSWORD. Throws an Error if PORT is invalid. */
export function readSettings(env: NodeJS.ProcessEnv, root: string): LocalSettings {
  const port = Number(env['PORT'] || 3000);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new Error(`PORT is "${env['PORT']}", which is no port: choose a number from 1 to 65535`);
  }
  return {
    port,
    baseUrl: `http://localhost:${port}`,
    folder: path.resolve(root, env['LINKMILL_LOCAL_DIR'] || '.local'),
    given: {
      DATABASE_URL: env['DATABASE_URL'] || undefined,
      REDIS_URL: env['REDIS_URL'] || undefined,
      BULL_BOARD_USER: env['BULL_BOARD_USER'] || undefined,
      BULL_BOARD_PASSWORD: env['BULL_BOARD_PASSWORD'] || undefined,
    },
  };
}
