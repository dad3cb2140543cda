import { createUserAgents, type UserAgent } from '../../../../src/clicks/enrichment/agents/user-agents.ts';
import { judgeAll, type Judgement, type Row } from '../row.ts';
import { readCrawlers } from './bots.ts';
import { readSeenBrowsers } from './people.ts';
import { inAppBrowsers, programs, type WrittenAgent, writtenBrowsers, writtenDevices } from './written.ts';

const kindOfTag: Record<string, string> = {
  'ai-crawler': 'ai',
  'social-preview': 'preview',
  'feed-reader': 'feed',
  monitoring: 'monitor',
  'search-engine': 'search',
};

/** User agents of people and bots, read as they are for a click. Of what no value is known counts as refused. */
export async function measureAgents(): Promise<Row[]> {
  const { find } = createUserAgents();
  const crawlers = readCrawlers();
  const browsers = readSeenBrowsers();
  const isPerson = ({ header }: { header: string }) =>
    judge(header, find(header).isBot ? 'bot' : 'person', ['person']);
  const isWritten = (agent: WrittenAgent) => judgeWritten(agent, find(agent.header));
  return [
    await judgeAll({ name: 'bots are bots', goal: 0.97, inputs: crawlers }, ({ header }) =>
      judge(header, find(header).isBot ? 'bot' : 'person', ['bot']),
    ),
    await judgeAll({ name: 'kinds of bots', goal: 0.9, inputs: crawlers }, ({ header, tags }) =>
      judge(
        header,
        find(header).botKind ?? '',
        tags.map((tag) => kindOfTag[tag] ?? 'other'),
      ),
    ),
    await judgeAll({ name: 'browsers are people', goal: 0.99, inputs: browsers }, isPerson),
    await judgeAll({ name: 'programs are people', goal: 0.99, inputs: programs }, isPerson),
    await judgeAll({ name: 'devices of browsers', goal: 0.9, inputs: browsers }, ({ header, device }) =>
      judge(header, find(header).device, [device]),
    ),
    await judgeAll({ name: 'TVs, consoles, wearables, cars', goal: 0.9, inputs: writtenDevices }, isWritten),
    await judgeAll({ name: 'browsers', goal: 0.97, inputs: writtenBrowsers }, isWritten),
    await judgeAll({ name: 'in-app browsers', goal: 0.97, inputs: inAppBrowsers }, isWritten),
    await judgeAll({ name: 'office programs and feed readers', goal: 0.97, inputs: programs }, isWritten),
  ];
}

function judge(header: string, found: string, expected: string[]): Judgement {
  const shown = `${found || 'unknown'} instead of ${expected.join(' or ')}: ${header}`;
  if (expected.includes(found)) return { outcome: 'right', shown };
  return { outcome: found === '' ? 'refused' : 'wrong', shown };
}

/** Right when each value that is given is as found. */
function judgeWritten({ header, ...expected }: WrittenAgent, found: UserAgent): Judgement {
  const names = Object.keys(expected) as (keyof typeof expected)[];
  const wrong = names.find((name) => found[name] !== expected[name]) ?? names[0]!;
  return judge(header, found[wrong], [expected[wrong]!]);
}
