import cluster from 'node:cluster';
import { loadConfigOrExit } from './config/load.ts';
import { webSettings } from './config/web.ts';

const config = loadConfigOrExit(webSettings);
if (config.WEB_CONCURRENCY > 1 && cluster.isPrimary) {
  const { superviseWebProcesses } = await import('./web-cluster.ts');
  await superviseWebProcesses(config);
} else {
  const { runWebProcess } = await import('./web-process.ts');
  await runWebProcess(config);
}
