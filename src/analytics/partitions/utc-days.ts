/** The moment at which a day of UTC, "2026-11-21", begins, of an expression or a binding. */
export const beginOf = (day: string) => `(cast(${day} as timestamp) at time zone 'UTC')`;
/** The moment at which it ends. */
export const endOf = (day: string) => `((cast(${day} as timestamp) + interval '1 day') at time zone 'UTC')`;
/** True of a row on that day. */
export const isOn = (day: string) => `(at >= ${beginOf(day)} and at < ${endOf(day)})`;
