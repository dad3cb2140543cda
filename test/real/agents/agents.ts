import { createUserAgents } from '../../../src/clicks/details/user-agents.ts';
import { judgeAll, type Row } from '../row.ts';
import { readCrawlers } from './bots.ts';
import { readSeenBrowsers } from './people.ts';

/** User agents of people and bots, read as they are for a click. */
export async function measureAgents(): Promise<Row[]> {
  const { find } = createUserAgents();
  const browsers = readSeenBrowsers();
  return [
    await judgeAll({ name: 'bots are bots', goal: 0.97, inputs: readCrawlers() }, ({ header }) => ({
      outcome: find(header).isBot ? 'right' : 'wrong',
      shown: header,
    })),
    await judgeAll({ name: 'browsers are people', goal: 0.99, inputs: browsers }, ({ header }) => ({
      outcome: find(header).isBot ? 'wrong' : 'right',
      shown: header,
    })),
  ];
}
