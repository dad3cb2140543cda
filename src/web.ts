import { loadConfigOrExit, webSettings } from './config.ts';
import { runWebProcess } from './web-process.ts';

await runWebProcess(loadConfigOrExit(webSettings));
