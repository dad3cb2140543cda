import { send } from '../api/client.ts';
import { useQuery } from '../api/use-query.ts';
import { hrefOf } from '../routing/router.ts';
import { common } from '../texts/en/common.ts';

const everyMs = 5_000;

/** Health of the service: a dot with its name, which leads to Operations. */
export function Health() {
  const { data, problem } = useQuery(
    'health',
    async (signal) => (await send<{ status: 'healthy' | 'degraded' }>('get', '/health', { signal })).body,
    everyMs,
  );
  const status = problem ? (problem.status === 503 ? 'unhealthy' : 'unknown') : data?.status;
  return (
    <a class="side-item" href={hrefOf('/operations')}>
      <span class={`dot is-${status ?? 'waiting'}`} />
      {status === undefined ? common.loading : common.health[status]}
    </a>
  );
}
