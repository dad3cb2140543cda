import { followReferences, type Schema } from './schema.ts';

type Content = Record<string, { schema?: Schema }>;

export interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  required?: boolean;
  schema: Schema;
}

/** A documented answer. */
export interface Response {
  headers?: Record<string, unknown>;
  content?: Content;
}

/** An operation of the API document. */
export interface Operation {
  id: string;
  method: string;
  path: string;
  /** Operations with the same tag share objects. */
  tag: string;
  isPublic: boolean;
  /** Whether it requires the operator token instead of an API key. */
  isOperatorPath: boolean;
  parameters: Parameter[];
  body: Content;
  responses: Record<string, Response>;
}

interface OperationObject {
  operationId: string;
  tags: string[];
  security?: Record<string, unknown>[];
  parameters?: Parameter[];
  requestBody?: { content: Content };
  responses: Record<string, Response>;
}

/** All operations of an API document. */
export function readOperations(document: object): Operation[] {
  const { paths } = followReferences(document) as {
    paths: Record<string, Record<string, OperationObject>>;
  };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      id: operation.operationId,
      method: method.toUpperCase(),
      path,
      tag: operation.tags[0]!,
      isPublic: operation.security?.length === 0,
      isOperatorPath: isOperatorPath(operation),
      parameters: operation.parameters ?? [],
      body: operation.requestBody?.content ?? {},
      responses: operation.responses,
    })),
  );
}

const isOperatorPath = ({ security = [] }: OperationObject) =>
  security.length > 0 && security.every((scheme) => !('apiKey' in scheme));
