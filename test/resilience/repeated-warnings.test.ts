import { pino } from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createRepeatedWarnings } from '../../src/resilience/repeated-warnings.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function createLogged() {
  const lines: Record<string, unknown>[] = [];
  const log = pino({ base: null }, { write: (line) => void lines.push(JSON.parse(line)) });
  return { warnings: createRepeatedWarnings(log), lines };
}

test('an error that repeats is logged once, then once a minute with the number of repetitions', () => {
  const { warnings, lines } = createLogged();
  for (let second = 0; second < 120; second++) {
    for (let i = 0; i < 50; i++) warnings.warn('worker', { err: new Error(`refused ${i}`) }, 'worker failed');
    vi.advanceTimersByTime(1_000);
  }
  expect(lines.map(({ repeated }) => repeated)).toEqual([undefined, 60 * 50 - 1, 60 * 50]);
  expect(lines.every(({ msg }) => msg === 'worker failed')).toBe(true);
});

test('a new cause and the end of an error are logged at once', () => {
  const { warnings, lines } = createLogged();
  warnings.warn('redis', { err: new Error('WRONGPASS no') }, 'failed to connect');
  warnings.warn('redis', { err: new Error('NOAUTH no') }, 'failed to connect');
  warnings.end('redis', {}, 'connected again');
  warnings.end('redis', {}, 'connected again');
  expect(lines.map(({ msg }) => msg)).toEqual(['failed to connect', 'failed to connect', 'connected again']);
});

test('a source that alternates between failing and working writes at most 6 lines a minute', () => {
  const { warnings, lines } = createLogged();
  for (let i = 0; i < 600; i++) {
    warnings.warn('redis', { err: new Error('no') }, 'failed to connect');
    warnings.end('redis', {}, 'connected again');
    vi.advanceTimersByTime(100);
  }
  expect(lines.length).toBeLessThanOrEqual(6);
  expect(lines.at(-1)).toMatchObject({ msg: 'connected again', repeated: 1_200 - 5 });
});

test('a source recovers when none of its members fails', () => {
  const { warnings, lines } = createLogged();
  warnings.warn('redis', {}, 'failed to connect', 'cache');
  warnings.warn('redis', {}, 'failed to connect', 'clicks');
  warnings.end('redis', {}, 'connected again', 'cache');
  expect(lines).toHaveLength(1);
  warnings.end('redis', {}, 'connected again', 'clicks');
  expect(lines.at(-1)).toMatchObject({ msg: 'connected again' });
});

test('a source that failed once writes no further line', () => {
  const { warnings, lines } = createLogged();
  warnings.warn('redis', {}, 'failed to connect');
  vi.advanceTimersByTime(600_000);
  expect(lines).toHaveLength(1);
  expect(vi.getTimerCount()).toBe(0);
});
