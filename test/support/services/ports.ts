import { randomInt } from 'node:crypto';
import { isPortFree } from '../../../scripts/services/ports.ts';
import { waitUntil } from '../wait-until.ts';

/** A free port below the range of outgoing connections, so that it stays free while its server is down. */
export async function findLastingPort(): Promise<number> {
  return await waitUntil('a free port is found', async () => {
    const port = randomInt(20_000, 32_000);
    return (await isPortFree(port)) && port;
  });
}
