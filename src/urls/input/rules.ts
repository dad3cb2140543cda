import type { UrlSettings } from '../url.ts';

/** The fields that a client can set. */
export type InputField =
  | 'originalUrl'
  | 'shortCode'
  | 'password'
  | 'addTags'
  | Exclude<keyof UrlSettings, 'passwordHash'>;

/** An invalid field; the reason completes a sentence that begins with the field's name. */
export interface Violation {
  field: InputField;
  reason: string;
}

/** The input violates one or more rules. */
export class InputRejected extends Error {
  override readonly name = 'InputRejected';
  readonly violations: Violation[];

  constructor(violations: Violation[]) {
    super(violations.map(({ field, reason }) => `${field} ${reason}`).join('; '));
    this.violations = violations;
  }
}

interface Rule extends Violation {
  holds: (settings: UrlSettings) => boolean;
}

/** Rules between settings, by the names of the check constraints that also enforce them against concurrent changes. */
const rules: Readonly<Record<string, Rule>> = {
  urls_starts_at_before_expires_at: {
    holds: ({ startsAt, expiresAt }) => startsAt === null || expiresAt === null || startsAt < expiresAt,
    field: 'startsAt',
    reason: 'must be before the expiry',
  },
  urls_one_time_max_clicks: {
    holds: ({ isOneTime, maxClicks }) => !isOneTime || maxClicks === null || maxClicks === 1,
    field: 'maxClicks',
    reason: 'must be 1 or absent for a one-time short URL',
  },
};

/** The violations of these settings. */
export const violationsOf = (settings: UrlSettings): Violation[] =>
  Object.values(rules).filter(({ holds }) => !holds(settings));

/** The violation behind a check constraint error; undefined for any other error. */
export function violationBehind(error: unknown): Violation | undefined {
  if (!(error instanceof Error) || !('constraint' in error)) return undefined;
  return rules[String(error.constraint)];
}
