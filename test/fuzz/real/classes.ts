import { measureAgents } from './agents/agents.ts';
import { measureFiles } from './files/files.ts';
import type { Row } from './row.ts';
import { measureUrls } from './urls/urls.ts';

/** The classes of real inputs. A class is a file with one exported function, and an entry here. */
export const classes: Readonly<Record<string, () => Promise<Row[]>>> = {
  agents: measureAgents,
  files: measureFiles,
  urls: measureUrls,
};
