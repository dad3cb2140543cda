import { createDocument, type CreateDocumentOptions } from 'zod-openapi';
import { version } from '../../version.ts';
import { tagObjects } from '../api/tags.ts';
import { basePathOf } from '../base-path.ts';
import { sessionCookieName } from '../middleware/session-cookie.ts';
import { problem } from '../routes/schemas.ts';
import { operationPaths } from './operation-paths.ts';
import { publicPaths } from './public-paths.ts';
import { createDescribeProblems } from './responses.ts';

/** The base URL in docs/openapi.json: no service has it. */
export const exampleBaseUrl = 'https://sho.rt';

const description = `URL shortener API. Field names are in snake_case, times are RFC 3339 in UTC.

Errors are \`application/problem+json\` (RFC 9457); branch on \`type\`, which links to its documentation.

Lists return \`items\` and \`next_cursor\`; pass it as \`cursor\` for the next page.

\`RateLimit\` and \`RateLimit-Policy\` (draft-ietf-httpapi-ratelimit-headers-10), and \`RateLimit-Limit\`, \`RateLimit-Remaining\` and \`RateLimit-Reset\` (seconds) contain the remaining quota of the API key; 429 has \`Retry-After\`.`;

const sessionDescription =
  'The session of a browser, see `signIn`. Requests of other origins get 403. An API key in the headers wins over the cookie.';

/** The OpenAPI 3.1 document, derived from the declarations that validate and answer requests. */
export function createApiDocument(baseUrl: string) {
  const describeProblems = createDescribeProblems(baseUrl);
  return createDocument(
    {
      openapi: '3.1.1',
      info: {
        title: 'Linkmill',
        version,
        description,
        contact: { name: 'Operator of this service', url: baseUrl },
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: basePathOf(baseUrl) || '/' }],
      tags: tagObjects,
      security: [{ apiKey: [] }, { bearer: [] }, { session: [] }],
      components: {
        schemas: { Problem: problem },
        securitySchemes: {
          apiKey: { type: 'apiKey', in: 'header', name: 'x-api-key' },
          bearer: { type: 'http', scheme: 'bearer' },
          session: {
            type: 'apiKey',
            in: 'cookie',
            name: sessionCookieName(baseUrl),
            description: sessionDescription,
          },
        },
      },
      paths: { ...publicPaths(describeProblems), ...operationPaths(describeProblems) },
    },
    { override: removeNoise },
  );
}

/** Removes the limits of safe integers, and the patterns of named formats. */
const removeNoise: CreateDocumentOptions['override'] = ({ jsonSchema }) => {
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
  if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
};
