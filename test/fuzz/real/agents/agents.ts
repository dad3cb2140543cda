import { createUserAgents, type UserAgent } from '../../../../src/clicks/enrichment/agents/user-agents.ts';
import { evaluateAll, type Evaluation, type Row } from '../row.ts';
import { readSeenBrowsers } from './browsers.ts';
import { readCrawlers } from './crawlers.ts';
import {
  inAppBrowsers,
  programs,
  type WrittenAgent,
  writtenBrowsers,
  writtenDevices,
} from './handwritten.ts';

const kindOfTag: Record<string, string> = {
  'ai-crawler': 'ai',
  'social-preview': 'preview',
  'feed-reader': 'feed',
  monitoring: 'monitor',
  'search-engine': 'search',
};

/** User agents of people and bots, parsed as for a click. An unknown value counts as rejected. */
export async function measureAgents(): Promise<Row[]> {
  const { find } = createUserAgents();
  const crawlers = readCrawlers();
  const browsers = readSeenBrowsers();
  const isPerson = ({ header }: { header: string }) =>
    evaluate(header, find(header).isBot ? 'bot' : 'person', ['person']);
  const isWritten = (agent: WrittenAgent) => evaluateWritten(agent, find(agent.header));
  return [
    await evaluateAll({ name: 'bots are bots', goal: 0.97, inputs: crawlers }, ({ header }) =>
      evaluate(header, find(header).isBot ? 'bot' : 'person', ['bot']),
    ),
    await evaluateAll({ name: 'kinds of bots', goal: 0.9, inputs: crawlers }, ({ header, tags }) =>
      evaluate(
        header,
        find(header).botKind ?? '',
        tags.map((tag) => kindOfTag[tag] ?? 'other'),
      ),
    ),
    await evaluateAll({ name: 'browsers are people', goal: 0.99, inputs: browsers }, isPerson),
    await evaluateAll({ name: 'programs are people', goal: 0.99, inputs: programs }, isPerson),
    await evaluateAll({ name: 'devices of browsers', goal: 0.9, inputs: browsers }, ({ header, device }) =>
      evaluate(header, find(header).device, [device]),
    ),
    await evaluateAll(
      { name: 'TVs, consoles, wearables, cars', goal: 0.9, inputs: writtenDevices },
      isWritten,
    ),
    await evaluateAll({ name: 'browsers', goal: 0.97, inputs: writtenBrowsers }, isWritten),
    await evaluateAll({ name: 'in-app browsers', goal: 0.97, inputs: inAppBrowsers }, isWritten),
    await evaluateAll({ name: 'office programs and feed readers', goal: 0.97, inputs: programs }, isWritten),
  ];
}

function evaluate(header: string, found: string, expected: string[]): Evaluation {
  const shown = `${found || 'unknown'} instead of ${expected.join(' or ')}: ${header}`;
  if (expected.includes(found)) return { outcome: 'right', shown };
  return { outcome: found === '' ? 'refused' : 'wrong', shown };
}

/** Right if each expected value was found. */
function evaluateWritten({ header, ...expected }: WrittenAgent, found: UserAgent): Evaluation {
  const names = Object.keys(expected) as (keyof typeof expected)[];
  const wrong = names.find((name) => found[name] !== expected[name]) ?? names[0]!;
  return evaluate(header, found[wrong], [expected[wrong]!]);
}
