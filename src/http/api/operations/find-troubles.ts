import type { Condition } from '../../../resilience/conditions.ts';
import { guidance, type TroubleCode } from '../../../resilience/troubles.ts';
import type { HealthBody } from '../../ops/health-routes.ts';
import { runbookPath } from '../../pages/runbook-page.ts';
import type { Trouble } from './state-schema.ts';

/** The conditions under which a store does not answer. */
const outages = {
  postgres: ['postgres_unavailable'],
  redis: [
    'redis_unavailable',
    'redis_login_refused',
    'redis_unsupported',
    'redis_refuses_writes',
    'redis_rights_missing',
  ],
} as const satisfies Record<string, readonly TroubleCode[]>;

/** The conditions of all processes, oldest first, and what the numbers of the service show. */
export function findTroubles(state: {
  /** The conditions of each process. */
  processes: Condition[][];
  checks: HealthBody['checks'];
  clicks: { oldestMs: number; areLate: boolean; dropped: number };
  rejectedShare: { api: number };
  baseUrl: string;
}): Trouble[] {
  const { processes, checks, clicks, rejectedShare, baseUrl } = state;
  const toTrouble = (id: TroubleCode, cause: string, since: string | null = null): Trouble => ({
    id,
    ...guidance[id],
    cause,
    since,
    runbook_url: `${baseUrl}${runbookPath}#${id}`,
  });
  const troubles = mergeConditions(processes).map(({ code, reason, since }) =>
    toTrouble(code, reason, since.toISOString()),
  );
  const isKnown = (causes: readonly TroubleCode[]) =>
    troubles.some(({ id }) => causes.some((one) => one === id));
  // The watches report an outage after some seconds, with its cause.
  if (checks.postgres.status === 'down' && !isKnown(outages.postgres))
    troubles.push(toTrouble('postgres_unavailable', 'PostgreSQL does not answer.'));
  if (checks.redis.status === 'down' && !isKnown(outages.redis))
    troubles.push(toTrouble('redis_unavailable', 'Redis does not answer.'));
  if (clicks.dropped > 0)
    troubles.push(
      toTrouble(
        'clicks_dropped',
        `PostgreSQL and Redis were unavailable, and memory was full: ${clicks.dropped} clicks.`,
      ),
    );
  if (clicks.areLate) {
    const since = new Date(Date.now() - clicks.oldestMs).toISOString();
    troubles.push(toTrouble('clicks_late', 'Clicks wait that are not in PostgreSQL.', since));
  }
  const share = Math.round(rejectedShare.api * 100);
  if (share > 0)
    troubles.push(
      toTrouble('requests_rejected', `The processor is busy: ${share} % of the API requests are rejected.`),
    );
  return troubles;
}

/** Each condition that a process has, as the first one reported it. The reason says if others do not have it. */
function mergeConditions(processes: Condition[][]): Condition[] {
  const all = processes.flat().toSorted((a, b) => a.since.getTime() - b.since.getTime());
  const firsts = all.filter(({ code }, i) => all.findIndex((one) => one.code === code) === i);
  return firsts.map((first) => {
    const { code, severity, since, reason } = first;
    const count = all.filter((one) => one.code === code).length;
    const reporters = ` Reported by ${count} of ${processes.length} web processes.`;
    return { code, severity, since, reason: count === processes.length ? reason : reason + reporters };
  });
}
