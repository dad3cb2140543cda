import { expect, test } from 'vitest';
import { problemTypes } from '../../../src/http/problems/problem-types.ts';
import { visit } from '../../support/clicks/visitor.ts';
import { useWeb } from '../../support/http/web-app.ts';

const web = useWeb({ BASE_URL: '/go' });

test('the type of a problem links to its section on the page of problem types', async () => {
  const { body } = await web.client().get('/api/v1/urls/unknown-1');
  expect(body['type']).toBe(`${web.baseUrl()}/docs/problems#not-found`);
  const page = await visit(String(body['type']));
  expect(page.status).toBe(200);
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(page.text).toContain('<section id="not-found">');
});

test('the page of problem types has a section for each type, with status, title and what to do', async () => {
  const { text } = await visit(`${web.baseUrl()}/docs/problems`);
  const sections = text.split('<section id="').slice(1);
  expect(sections.map((section) => section.split('"')[0])).toEqual(Object.keys(problemTypes));
  for (const [i, { status, title }] of Object.values(problemTypes).entries()) {
    expect(sections[i]).toContain(`${status} ${title}`);
    expect(sections[i]).toContain('What to do:');
  }
  expect(text).toContain('Send a valid API key in <code>x-api-key</code>');
});

test('the page of problem types may be cached, and runs no scripts', async () => {
  const { headers, text } = await visit(`${web.baseUrl()}/docs/problems`);
  expect(headers.get('cache-control')).toBe('public, max-age=3600');
  expect(headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(text).not.toContain('<script');
});
