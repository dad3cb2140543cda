import type { z } from 'zod';
import { migrateSettings } from '../../src/config/database.ts';
import { webSettings } from '../../src/config/web.ts';
import { workerSettings } from '../../src/config/worker.ts';
import { topicOf, topics } from './topics.ts';

const processes = { web: webSettings, worker: workerSettings, migrate: migrateSettings };

/** The names of all settings, in the order of the schemas. */
export const settingNames = [
  ...new Set(Object.values(processes).flatMap((schema) => Object.keys(schema.shape))),
];

/** The tables of docs/configuration.md: one per topic, from the schemas that check the settings. */
export function settingsTables(): string {
  return Object.entries(topics)
    .map(([topic, { title, intro }]) => {
      const rows = settingNames.filter((name) => topicOf(name) === topic).map(rowOf);
      return [
        `## ${title}`,
        '',
        intro,
        '',
        '| setting | default | process | description |',
        '|---|---|---|---|',
        ...rows,
      ].join('\n');
    })
    .join('\n\n');
}

function rowOf(name: string): string {
  const users = Object.entries(processes).filter(([, schema]) => name in schema.shape);
  const setting = users
    .map(([, schema]) => (schema.shape as Record<string, z.ZodType>)[name])
    .find((schema) => schema !== undefined)!;
  const names = users.map(([user]) => user).join(', ');
  return `| \`${name}\` | ${defaultOf(setting)} | ${names} | ${setting.description ?? ''} |`;
}

function defaultOf(setting: z.ZodType): string {
  const parsed = setting.safeParse(undefined);
  if (!parsed.success) return '**required**';
  const value = parsed.data as string | number | boolean | string[] | undefined;
  return value === undefined || String(value) === '' ? '' : `\`${String(value)}\``;
}
