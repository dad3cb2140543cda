/** The advisory locks of Linkmill. All sessions of a database share one space of numbers: another program must not use these. */
export const advisoryLocks = {
  /** Held for a whole run of migrations, so that one process migrates and the others wait. Earlier releases use this number too. */
  migrationRun: 7_261_034_155,
  /** Held while a flush watchdog flushes. */
  flushWatchdog: 7_261_034_156,
  /** Held while partitions of the analytics change or clicks are rolled up; shared by transactions that need them unchanged. */
  partitions: 7_261_034_157,
  /** Held for each migration, so that two never run at once even when the connection that holds `migrationRun` was lost. */
  migration: 7_261_034_158,
  /** Held while a process begins an epoch of the database. */
  epoch: 7_261_034_159,
  /** Shared by transactions that add to the open segment of click events; held while it is closed. */
  openSegment: 7_261_034_160,
} as const;

export type AdvisoryLock = (typeof advisoryLocks)[keyof typeof advisoryLocks];
