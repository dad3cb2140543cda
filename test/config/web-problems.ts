import { ConfigError, loadConfig } from '../../src/config/load.ts';
import { webSettings } from '../../src/config/web.ts';

/** The settings that a web process needs. */
export const needed = {
  DATABASE_URL: 'postgres://linkmill:secret-1@db:5432/linkmill',
  REDIS_URL: 'redis://:secret-2@redis:6379',
  BASE_URL: 'https://sho.rt',
};

/** The problems in the environment of the web process. */
export function problemsOf(env: Record<string, string | undefined>): string[] {
  try {
    loadConfig(webSettings, { ...needed, ...env });
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems;
  }
}
