import autocannon from 'autocannon';
import type { LoadGenerator, LoadResult } from './load.ts';

/** Load from this process, which can be the slowest part of what it measures: then ratios look better than they are. */
export const autocannonLoad: LoadGenerator = {
  name: 'autocannon',
  async run({ baseUrl, requests, connections, seconds }): Promise<LoadResult> {
    let next = 0;
    const result = await autocannon({
      url: baseUrl,
      connections,
      duration: seconds,
      // All connections together send the requests in turn.
      requests: [{ setupRequest: (request) => ({ ...request, ...requests[next++ % requests.length] }) }],
    });
    return {
      answered: result['2xx'] + result.non2xx,
      refused: result['4xx'] + result['5xx'],
      failed: result.errors,
      seconds: result.duration,
      p50Ms: result.latency.p50,
      p99Ms: result.latency.p99,
    };
  },
};
