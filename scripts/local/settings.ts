import path from 'node:path';

/** What the environment asks of the local stack. */
export interface LocalSettings {
  port: number;
  baseUrl: string;
  /** Where data, logs and everything else of the stack are kept. */
  folder: string;
  /** Settings that replace what the stack would make itself. */
  given: Partial<Record<'DATABASE_URL' | 'REDIS_URL' | 'BULL_BOARD_USER' | 'BULL_BOARD_PASSWORD', string>>;
}

const oldestNode = [20, 19] as const;

/** Throws an Error unless this Node is new enough. */
export function checkNode(version = process.versions.node): void {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if ((major - oldestNode[0] || minor - oldestNode[1]) >= 0) return;
  throw new Error(`Node ${version} is too old: Linkmill needs ${oldestNode.join('.')} or newer`);
}

/**
 * Reads PORT (3000), LINKMILL_LOCAL_DIR (`.local` in the checkout), and DATABASE_URL, REDIS_URL, BULL_BOARD_USER,
 * BULL_BOARD_PASSWORD. Throws an Error if PORT is no port.
 */
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
