import { expect, test } from 'vitest';
import { conditionCodes } from '../../../src/resilience/conditions.ts';
import { visit } from '../../support/clicks/visitor.ts';
import { useWeb } from '../../support/http/web-app.ts';

const web = useWeb({ BASE_URL: '/go' });

test('the runbook has a section for each condition, with its effect and what to do', async () => {
  const { status, text, headers } = await visit(`${web.baseUrl()}/docs/runbook`);
  expect(status).toBe(200);
  expect(headers.get('content-security-policy')).toContain("default-src 'none'");
  const sections = text.split('<section id="').slice(1);
  const codes = new Set(sections.map((section) => section.split('"')[0]));
  expect(conditionCodes.filter((code) => !codes.has(code))).toEqual([]);
  for (const section of sections) {
    expect(section).toContain('Effect:');
    expect(section).toContain('What to do:');
  }
  expect(text).toContain('<code>npm run migrate</code>');
});
