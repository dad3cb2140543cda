import { expect, test } from 'vitest';
import { createUserAgents } from '../../../../src/clicks/enrichment/agents/user-agents.ts';
import { personAgents } from '../../../load/day/agents.ts';
import { botAgents } from '../../../load/day/bot-agents.ts';

test('500 user agents of people and bots have the expected names, device and kind', () => {
  const { find } = createUserAgents();
  const agents = [...personAgents, ...botAgents];
  expect(new Set(agents.map(({ header }) => header)).size).toBe(500);
  const found = agents.map(({ header }) => {
    const { digest: _, botKind, isCrawler: _isCrawler, ...names } = find(header);
    expect(botKind === undefined).toBe(!names.isBot);
    return { header, ...names };
  });
  expect(found).toEqual(agents);
});
