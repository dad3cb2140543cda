/** A span of the history of a database. Another one begins when the database is restored, cloned or promoted. */
export interface Epoch {
  /** UUID of this epoch. */
  epoch: string;
  /** UUID of the first epoch: the same in every copy of a database. */
  identity: string;
  /** 1 for the first epoch of a database. */
  number: number;
  /** Cached versions below this one belong to an earlier epoch, and say nothing about this database. */
  versionFloor: number;
  /** Why it began. */
  reason: string;
}

export type CurrentEpoch = ReturnType<typeof createCurrentEpoch>;

/** The epoch as this process knows it; undefined until it was read from a store. */
export function createCurrentEpoch() {
  let known: Epoch | undefined;
  const listeners: ((epoch: Epoch, before: Epoch | undefined) => void)[] = [];

  return {
    get known() {
      return known;
    },

    /** The version below which a cached entry is void; 0 while no epoch is known. */
    versionFloor: (): number => known?.versionFloor ?? 0,

    /** Takes over what a store says; calls the listeners where it is another epoch, before it returns. */
    set(epoch: Epoch): void {
      const before = known;
      known = epoch;
      if (before?.epoch !== epoch.epoch) for (const listen of listeners) listen(epoch, before);
    },

    /** Calls `listen` at each change of the epoch, the first one included. */
    onChange(listen: (epoch: Epoch, before: Epoch | undefined) => void): void {
      listeners.push(listen);
      if (known) listen(known, undefined);
    },
  };
}
