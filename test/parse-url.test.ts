import { expect, test } from 'vitest';
import { parseUrl } from '../src/parse-url.ts';

test('a URL with letters beyond ASCII is one however many were parsed before', () => {
  // URL.canParse says no to it on Node 20 from about the 6,000th call on.
  for (let i = 0; i < 50_000; i += 1) parseUrl(`https://example.com/${i}`);
  expect(parseUrl('https://bücher.example/ä')?.href).toBe('https://xn--bcher-kva.example/%C3%A4');
});

test('a relative URL needs a base, and what is no URL is undefined', () => {
  expect(parseUrl('/path')).toBeUndefined();
  expect(parseUrl('/path', 'https://example.com')?.href).toBe('https://example.com/path');
  expect(parseUrl('https://[::1')).toBeUndefined();
});
