/** SQL for the start of a UTC day, "2026-11-21"; `day` is an expression or a binding. */
export const startOfDay = (day: string) => `(cast(${day} as timestamp) at time zone 'UTC')`;
/** SQL for the end of the day. */
export const endOfDay = (day: string) =>
  `((cast(${day} as timestamp) + interval '1 day') at time zone 'UTC')`;
/** SQL condition for rows of the day. */
export const isOnDay = (day: string) => `(at >= ${startOfDay(day)} and at < ${endOfDay(day)})`;
