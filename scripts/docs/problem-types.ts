import { problemTypes } from '../../src/http/problems/problem-types.ts';

/** The text of docs/problems.md: a section for each problem type. */
export function problemTypesPage(): string {
  const sections = Object.entries(problemTypes).map(
    ([type, { status, title, when, action }]) => `## ${type}

${status} ${title}

${when}

**What to do:** ${action}
`,
  );
  return `# Problem types

<!-- Generated from src/http/problems/problem-types.ts: run \`npm run docs\`. -->

Errors are \`application/problem+json\` (RFC 9457). \`type\` is \`{BASE_URL}/docs/problems#\` and the name of the problem type: a link to
a page of your service with the sections below. Branch on it: titles and details can change.

\`\`\`json
{
  "type": "https://sho.rt/docs/problems#validation-failed",
  "title": "Validation failed",
  "status": 422,
  "detail": "original_url is required.",
  "errors": [{ "field": "original_url", "detail": "is required" }]
}
\`\`\`

${sections.join('\n')}`;
}
