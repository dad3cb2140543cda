import type { Middleware } from 'koa';
import type { ConditionCode, Conditions } from '../../resilience/conditions.ts';
import { unavailable } from '../problems/problem.ts';

const unusable = new Set<ConditionCode>(['schema_outdated', 'schema_incompatible', 'short_code_case']);

/** Answers 503 while the database schema does not match this version: a write could be stored incompletely. */
export function requireUsableSchema(health: { conditions: Pick<Conditions, 'list'> }): Middleware {
  return async (_ctx, next) => {
    if (health.conditions.list().some(({ code }) => unusable.has(code)))
      throw unavailable('The database schema does not match this version of the service.');
    await next();
  };
}
