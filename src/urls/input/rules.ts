import type { UrlSettings } from '../url.ts';

/** What somebody asked a short URL to be. */
export type Asked = 'originalUrl' | 'shortCode' | 'password' | Exclude<keyof UrlSettings, 'passwordHash'>;

/** What is wrong with something that was asked for; the reason is the end of a sentence that begins with its name. */
export interface Violation {
  asked: Asked;
  reason: string;
}

/** Short URLs cannot be what somebody asked for. */
export class InputRejected extends Error {
  override readonly name = 'InputRejected';
  readonly refusals: Violation[];

  constructor(refusals: Violation[]) {
    super(refusals.map(({ asked, reason }) => `${asked} ${reason}`).join('; '));
    this.refusals = refusals;
  }
}

interface Rule extends Violation {
  isKept: (settings: UrlSettings) => boolean;
}

/** Rules between settings, by the constraints of the table that hold them however many change a short URL at once. */
const rules: Readonly<Record<string, Rule>> = {
  urls_start_before_end: {
    isKept: ({ startsAt, expiresAt }) => startsAt === null || expiresAt === null || startsAt < expiresAt,
    asked: 'startsAt',
    reason: 'must be before the time of expiry',
  },
  urls_one_time_once: {
    isKept: ({ isOneTime, maxClicks }) => !isOneTime || maxClicks === null || maxClicks === 1,
    asked: 'maxClicks',
    reason: 'must be 1, or not be given, for what is used once',
  },
};

/** Why there cannot be a short URL with these settings. */
export const violationsOf = (settings: UrlSettings): Violation[] =>
  Object.values(rules).filter(({ isKept }) => !isKept(settings));

/** Why the table refused a change; undefined when that was for something else. */
export function refusalBy(error: unknown): Violation | undefined {
  if (!(error instanceof Error) || !('constraint' in error)) return undefined;
  return rules[String(error.constraint)];
}
