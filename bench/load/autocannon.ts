import autocannon from 'autocannon';
import type { LoadGenerator, LoadResult } from './load.ts';

/** Load from this process, which can be the slowest part of what it measures: then ratios look better than they are. */
export const autocannonLoad: LoadGenerator = {
  name: 'autocannon',
  async run({ baseUrl, requests, connections, seconds }): Promise<LoadResult> {
    let clients = 0;
    const result = await autocannon({
      url: baseUrl,
      connections,
      duration: seconds,
      // A share each: the same request from all at the same moment would be looked up once.
      setupClient: (client) => {
        const number = clients++ % requests.length;
        client.setRequests(requests.filter((_, i) => i % connections === number));
      },
    });
    return {
      answered: result['2xx'] + result.non2xx,
      refused: result['4xx'] + result['5xx'],
      failed: result.errors,
      // Its own figure includes the making of the requests.
      seconds,
      p50Ms: result.latency.p50,
      p99Ms: result.latency.p99,
    };
  },
};
