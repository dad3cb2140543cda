import cluster from 'node:cluster';
import { readArguments, rejectArguments } from './cli/command-line.ts';
import { loadConfigOrExit } from './config/load.ts';
import { webSettings } from './config/web.ts';
import { limitHeapGrowth } from './web/heap-limits.ts';

const usage = `Usage: npm run web
  Starts a web process, which serves redirects and the API until SIGTERM. Settings are environment variables: see docs/configuration.md.
`;

readArguments(usage, rejectArguments);
const config = loadConfigOrExit(webSettings);
limitHeapGrowth();
if (config.WEB_CONCURRENCY > 1 && cluster.isPrimary) {
  const { superviseWebProcesses } = await import('./web/cluster/supervisor.ts');
  await superviseWebProcesses(config);
} else {
  const { runWebProcess } = await import('./web/process.ts');
  await runWebProcess(config);
}
