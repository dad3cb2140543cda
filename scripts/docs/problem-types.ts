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

Errors are \`application/problem+json\` (RFC 9457). \`type\` is a link to a section of this page. Branch on \`type\`: titles and details can change.

\`\`\`json
{
  "type": "https://github.com/linkmill/linkmill/blob/main/docs/problems.md#validation-failed",
  "title": "Validation failed",
  "status": 422,
  "detail": "original_url is required.",
  "errors": [{ "field": "original_url", "detail": "is required" }]
}
\`\`\`

${sections.join('\n')}`;
}
