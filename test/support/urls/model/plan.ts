import fc from 'fast-check';

export const codes = ['code-a', 'code-b'] as const;
export const webCount = 2;

/** The events of a run. Each list is sequential; all lists run concurrently. */
export interface Plan {
  /** Per visitor: the requested web processes and codes. */
  visitors: { web: number; code: string }[][];
  /** Per writer: its operations, and the lifetime of what it creates in ms. */
  writers: { web: number; code: string; operation: WriteKind; ms: number }[][];
  /** Per web process: the events of its subscription. */
  busEvents: BusEvent[][];
  /** Per web process: which messages are lost, cyclically. */
  losses: boolean[][];
  stores: StoreEvent[];
  /** Advances of the clock, in ms. */
  clock: number[];
  /** Capacity of each memory cache. */
  capacity: number;
}

export type WriteKind =
  | 'create'
  | 'create expiring'
  | 'change'
  | 'delete'
  | 'restore'
  | 'overwrite deleted'
  | 'purge'
  | 'clean up';
export type BusEvent = 'break' | 'notice' | 'subscribe' | 'reply';
export type StoreEvent =
  | 'Redis goes down'
  | 'Redis comes back'
  | 'PostgreSQL goes down'
  | 'PostgreSQL comes back'
  | 'both go down'
  | 'Redis loses everything'
  | 'Redis is copied'
  | 'Redis is rolled back to the copy';

/** One of these values, by weight. */
const oneOf = <T extends string>(weights: Record<T, number>) =>
  fc.oneof(
    ...Object.entries<number>(weights).map(([value, weight]) => ({
      arbitrary: fc.constant(value as T),
      weight,
    })),
  );
const listOf = <T>(item: fc.Arbitrary<T>, minLength: number, maxLength: number) =>
  fc.array(item, { minLength, maxLength, size: 'max' });

const visit = { web: fc.nat(webCount - 1), code: oneOf({ 'code-a': 6, 'code-b': 1 }) };
const write = fc.record({
  ...visit,
  operation: oneOf<WriteKind>({
    create: 2,
    'create expiring': 1,
    change: 6,
    delete: 4,
    restore: 1,
    'overwrite deleted': 1,
    purge: 1,
    'clean up': 1,
  }),
  ms: fc.constantFrom(10, 1_000),
});
const busEvent = oneOf<BusEvent>({ break: 1, notice: 1, subscribe: 1, reply: 1 });
const storeEvent = oneOf<StoreEvent>({
  'Redis goes down': 1,
  'Redis comes back': 1,
  'PostgreSQL goes down': 1,
  'PostgreSQL comes back': 1,
  'both go down': 1,
  'Redis loses everything': 1,
  'Redis is copied': 1,
  'Redis is rolled back to the copy': 1,
});
const oneInFour = fc.nat(3).map((number) => number === 3);
const lossesOnly = fc.constant<StoreEvent>('Redis loses everything');

export const anyPlan: fc.Arbitrary<Plan> = fc.record({
  visitors: listOf(listOf(fc.record(visit), 2, 6), 4, 4),
  writers: listOf(listOf(write, 1, 3), 2, 2),
  busEvents: fc.oneof(
    listOf(fc.constant<BusEvent[]>([]), webCount, webCount),
    listOf(listOf(busEvent, 0, 8), webCount, webCount),
  ),
  losses: listOf(listOf(oneInFour, 1, 4), webCount, webCount),
  stores: fc.oneof(listOf(lossesOnly, 0, 2), listOf(storeEvent, 0, 6)),
  clock: listOf(fc.constantFrom(1, 100, 300, 1_000, 2_000, 3_000), 1, 6),
  capacity: fc.constantFrom(1, 10),
});
