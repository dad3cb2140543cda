import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { createApiDocument, exampleBaseUrl } from '../src/http/openapi/document.ts';

/** npm run openapi: writes docs/openapi.json from the code; --check fails if it differs. */
const file = new URL('../docs/openapi.json', import.meta.url);
const made = `${JSON.stringify(createApiDocument(exampleBaseUrl), undefined, 2)}\n`;
const { values } = parseArgs({ options: { check: { type: 'boolean' } } });

if (!values.check) {
  writeFileSync(file, made);
} else if (!existsSync(file) || readFileSync(file, 'utf8') !== made) {
  console.error('docs/openapi.json is not what the code says: run npm run openapi');
  process.exitCode = 1;
}
