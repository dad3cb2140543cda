import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Properties of a browser that a script can read, from the npm package `user-agents` (BSD-2-Clause): a sample of real
 *  visits. */
export interface SeenBrowser {
  header: string;
  device: 'desktop' | 'mobile' | 'tablet';
}

/** The distinct agents and devices in `user-agents`. */
export function readSeenBrowsers(): SeenBrowser[] {
  const file = new URL('user-agents.json', import.meta.resolve('user-agents'));
  const rows = JSON.parse(readFileSync(fileURLToPath(file), 'utf8')) as {
    userAgent: string;
    deviceCategory: SeenBrowser['device'];
  }[];
  const seen = rows.map(
    ({ userAgent: header, deviceCategory: device }) => [`${device} ${header}`, { header, device }] as const,
  );
  return [...new Map(seen).values()];
}
