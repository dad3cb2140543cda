import { createRequire } from 'node:module';

/** An entry of the npm package `crawler-user-agents` (MIT). */
interface Crawler {
  pattern: string;
  instances: string[];
  tags?: string[];
}

/** The distinct agents in `crawler-user-agents`. */
export function readCrawlers(): { header: string; pattern: string; tags: string[] }[] {
  const crawlers = createRequire(import.meta.url)('crawler-user-agents') as Crawler[];
  const all = crawlers.flatMap(({ pattern, instances, tags = [] }) =>
    instances.map((header) => [header, { header, pattern, tags }] as const),
  );
  return [...new Map(all).values()];
}
