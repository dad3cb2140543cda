import type { ZodOpenApiResponsesObject } from 'zod-openapi';
import type { ProblemType } from '../problems/problem.ts';
import type { Tag } from './tags.ts';

/** An answer in the API's document for each status that these problems have. */
export type AnswersOf = (problems: ProblemType[]) => ZodOpenApiResponsesObject;

/** What every operation has that needs no API key. */
export const forEverybody: { tags: Tag[]; security: [] } = { tags: ['For everybody'], security: [] };

/** A page, of which a program can make nothing. */
export const page = { 'text/html': { schema: { type: 'string' as const } } };
