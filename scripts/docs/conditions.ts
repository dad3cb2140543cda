import { guidance } from '../../src/resilience/troubles.ts';

/** The part of docs/runbook.md about conditions: a section for each. */
export function conditionSections(): string {
  const sections = Object.entries(guidance).map(
    ([code, { title, effect, action }]) => `### ${code}

${title}.

**Effect:** ${effect}

**What to do:** ${action}
`,
  );
  return sections.join('\n');
}
