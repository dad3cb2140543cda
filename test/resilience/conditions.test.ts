import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { createConditions } from '../../src/resilience/conditions.ts';

describe('conditions', () => {
  function createLogged() {
    const lines: Record<string, unknown>[] = [];
    const log = pino({ base: null }, { write: (line) => void lines.push(JSON.parse(line)) });
    let time = 0;
    const conditions = createConditions(log, () => new Date(time));
    return { conditions, lines, advance: (ms: number) => (time += ms) };
  }

  test('a condition is logged when it begins, when its reason changes, and when it ends', () => {
    const { conditions, lines, advance } = createLogged();
    conditions.set('schema_outdated', 'two migrations are missing');
    conditions.set('schema_outdated', 'two migrations are missing');
    advance(3_000);
    conditions.set('schema_outdated', 'one migration is missing');
    conditions.clear('schema_outdated');
    conditions.clear('schema_outdated');
    expect(lines.map(({ msg }) => msg)).toEqual([
      'two migrations are missing',
      'one migration is missing',
      'condition has ended',
    ]);
    expect(lines.at(-1)).toMatchObject({ condition: 'schema_outdated', seconds: 3 });
  });

  test('a condition keeps its start time when its reason changes', () => {
    const { conditions, advance } = createLogged();
    conditions.update('schema_outdated', 'two migrations are missing');
    advance(1_000);
    conditions.update('schema_outdated', 'one migration is missing');
    expect(conditions.list()).toEqual([
      {
        code: 'schema_outdated',
        severity: 'not_ready',
        reason: 'one migration is missing',
        since: new Date(0),
      },
    ]);
    conditions.update('schema_outdated', undefined);
    expect(conditions.list()).toEqual([]);
  });

  test('a condition of severity not_ready forbids traffic until it ends', () => {
    const { conditions } = createLogged();
    conditions.set('schema_outdated', 'one migration is missing');
    expect(conditions.isReady()).toBe(false);
    conditions.clear('schema_outdated');
    expect(conditions.isReady()).toBe(true);
  });
});
