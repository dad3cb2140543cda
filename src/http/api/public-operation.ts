import type { ZodOpenApiResponsesObject } from 'zod-openapi';
import type { ProblemType } from '../problems/problem-types.ts';
import type { Tag } from './tags.ts';

/** Makes the responses of the API document for these problem types. */
export type ResponsesOf = (problems: ProblemType[]) => ZodOpenApiResponsesObject;

/** Members of every operation without an API key. */
export const publicOperation: { tags: Tag[]; security: [] } = { tags: ['Public'], security: [] };

/** An HTML page. */
export const page = { 'text/html': { schema: { type: 'string' as const } } };
