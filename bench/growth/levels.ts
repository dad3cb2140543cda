/** An amount of data or of processes at which the cost of a redirect is measured. */
export interface Level {
  urls: number;
  /** Click events of the last 90 days. */
  events: number;
  webProcesses: number;
  workers: number;
  /** Streams in Redis (`CLICK_SHARDS`). */
  shards: number;
}

export interface Axis {
  /** What grows. */
  name: string;
  property: keyof Level;
  values: number[];
}

const usual: Level = { urls: 10_000, events: 0, webProcesses: 1, workers: 1, shards: 1 };

/** The axes; `--large` adds the last value of short URLs and events, which take tens of minutes to store. */
export const axesOf = (isLarge: boolean): Axis[] => [
  {
    name: 'Short URLs',
    property: 'urls',
    values: [1_000, 100_000, 1_000_000, ...(isLarge ? [10_000_000] : [])],
  },
  {
    name: 'Click events',
    property: 'events',
    values: [0, 1_000_000, 5_000_000, ...(isLarge ? [50_000_000] : [])],
  },
  { name: 'Web processes', property: 'webProcesses', values: [1, 2] },
  { name: 'Workers', property: 'workers', values: [1, 2] },
  { name: 'Shards', property: 'shards', values: [1, 2, 4] },
];

/** The level of an axis. A web process writes to one shard, and one worker at a time flushes a shard: several need each other. */
export function levelOf({ property }: Axis, value: number): Level {
  const level = { ...usual, [property]: value };
  if (property === 'workers') return { ...level, webProcesses: 2, shards: 2 };
  return property === 'shards' ? { ...level, webProcesses: 2 } : level;
}
