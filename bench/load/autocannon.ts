import autocannon from 'autocannon';
import type { LoadGenerator, LoadResult } from './load.ts';

/** Generates load from this process. If it is the bottleneck, ratios look better than they are. */
export const autocannonLoad: LoadGenerator = {
  name: 'autocannon',
  async run({ baseUrl, requests, connections, seconds }): Promise<LoadResult> {
    let clients = 0;
    const result = await autocannon({
      url: baseUrl,
      connections,
      duration: seconds,
      // Each connection has its own share: identical concurrent requests would be coalesced.
      setupClient: (client) => {
        const number = clients++ % requests.length;
        client.setRequests(requests.filter((_, i) => i % connections === number));
      },
    });
    return {
      answered: result['2xx'] + result.non2xx,
      refused: result['4xx'] + result['5xx'],
      failed: result.errors,
      // autocannon's own rate includes the creation of the requests.
      seconds,
      p50Ms: result.latency.p50,
      p99Ms: result.latency.p99,
    };
  },
};
