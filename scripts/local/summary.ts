import path from 'node:path';
import type { LocalEnv } from './env-file.ts';

/** Describes the running stack to its user. */
export function describeStack(env: LocalEnv, folder: string, signInLink: string): string {
  const at = (name: string) => path.relative(process.cwd(), path.join(folder, name));
  return `
Linkmill is running.

  service      ${env.BASE_URL}
  dashboard    ${signInLink}
               signs you in once, within 10 minutes; for another link, join as below and run: npm run sign-in
  API          ${env.BASE_URL}/docs
  health       ${env.BASE_URL}/health
  Bull Board   ${env.BASE_URL}/admin/queues   user ${env.BULL_BOARD_USER}, password ${env.BULL_BOARD_PASSWORD}
  logs         ${at('log/web.log')}   ${at('log/worker.log')}
  all of this  ${at('env')}   to join from another shell: set -a; . ${quote(at('env'))}; set +a

Create a short URL:

  curl -s ${env.BASE_URL}/api/v1/urls -H 'content-type: application/json' -H 'x-api-key: ${env.API_KEY}' -d '{"original_url": "https://example.com/"}'

Ctrl-C stops everything; the data stay in ${path.relative(process.cwd(), folder)}.
`;
}

/** Quotes a path as one word of a shell that is not searched in PATH. */
function quote(file: string): string {
  const named = file.includes('/') ? file : `./${file}`;
  return /^[\w./-]+$/.test(named) ? named : `'${named.replaceAll("'", String.raw`'\''`)}'`;
}
