import type { z } from 'zod';
import { migrateSettings } from '../../src/config/database.ts';
import { webSettings } from '../../src/config/web.ts';
import { workerSettings } from '../../src/config/worker.ts';

const processes = { web: webSettings, worker: workerSettings, migrate: migrateSettings };

/** The README's table of settings, made from the schemas that check them. */
export function settingsTable(): string {
  const names = [...new Set(Object.values(processes).flatMap((schema) => Object.keys(schema.shape)))];
  const rows = names.map((name) => {
    const users = Object.entries(processes).filter(([, schema]) => name in schema.shape);
    const setting = users
      .map(([, schema]) => (schema.shape as Record<string, z.ZodType>)[name])
      .find(Boolean)!;
    return `| \`${name}\` | ${defaultOf(setting)} | ${users.map(([user]) => user).join(', ')} | ${setting.description ?? ''} |`;
  });
  return ['| setting | default | for | what it is |', '|---|---|---|---|', ...rows].join('\n');
}

function defaultOf(setting: z.ZodType): string {
  const parsed = setting.safeParse(undefined);
  if (!parsed.success) return '**needed**';
  const value = parsed.data as string | number | boolean | string[] | undefined;
  return value === undefined || String(value) === '' ? '' : `\`${String(value)}\``;
}
