/** A period in the history of a database. A new epoch begins when the database is restored, cloned or promoted. */
export interface Epoch {
  /** UUID of the epoch. */
  epoch: string;
  /** UUID of the first epoch; the same in all copies of a database. */
  identity: string;
  /** 1 for the first epoch of a database. */
  number: number;
  /** Cached versions below this one belong to an earlier epoch and are invalid. */
  versionFloor: number;
  /** Why the epoch began. */
  reason: string;
}

export type CurrentEpoch = ReturnType<typeof createCurrentEpoch>;

/** Holds the epoch that this process knows; undefined until a store was read. */
export function createCurrentEpoch() {
  let known: Epoch | undefined;
  const listeners: ((epoch: Epoch, before: Epoch | undefined) => void)[] = [];

  return {
    get known() {
      return known;
    },

    /** Version below which cached entries are invalid; 0 while the epoch is unknown. */
    versionFloor: (): number => known?.versionFloor ?? 0,

    /** Sets the epoch. If it changed, calls the listeners before it returns. */
    set(epoch: Epoch): void {
      const before = known;
      known = epoch;
      if (before?.epoch !== epoch.epoch) for (const listen of listeners) listen(epoch, before);
    },

    /** Calls `listen` on each change, including the first. */
    onChange(listen: (epoch: Epoch, before: Epoch | undefined) => void): void {
      listeners.push(listen);
      if (known) listen(known, undefined);
    },
  };
}
