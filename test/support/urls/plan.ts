import fc from 'fast-check';

export const codes = ['code-a', 'code-b'] as const;
export const webCount = 2;

/** What happens, each list one thing after the other, all of them at once. */
export interface Plan {
  /** Of each visitor: which web process is asked for which code. */
  visitors: { web: number; code: string }[][];
  /** Of each writer: what it does in which web process, and for how many ms what it creates lasts. */
  writers: { web: number; code: string; does: WriteKind; ms: number }[][];
  /** Of each web process: what its subscriber meets. */
  lines: LineEvent[][];
  /** Of each web process: which of the announcements to it get lost, over and over. */
  losses: boolean[][];
  stores: StoreEvent[];
  /** How much time passes, in ms. */
  clock: number[];
  /** Short URLs that a web process may know by heart. */
  room: number;
}

export type WriteKind =
  | 'creates'
  | 'creates for a while'
  | 'changes'
  | 'deletes'
  | 'restores'
  | 'replaces what is deleted'
  | 'purges'
  | 'cleans up';
export type LineEvent = 'breaks' | 'notices' | 'subscribes' | 'is answered';
export type StoreEvent =
  | 'Redis goes down'
  | 'Redis comes back'
  | 'PostgreSQL goes down'
  | 'PostgreSQL comes back'
  | 'both go down'
  | 'Redis loses everything'
  | 'Redis is copied'
  | 'Redis is rolled back to the copy';

/** One of these, each as often as its weight says. */
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
  does: oneOf<WriteKind>({
    creates: 2,
    'creates for a while': 1,
    changes: 6,
    deletes: 4,
    restores: 1,
    'replaces what is deleted': 1,
    purges: 1,
    'cleans up': 1,
  }),
  ms: fc.constantFrom(10, 1_000),
});
const lineEvent = oneOf<LineEvent>({ breaks: 1, notices: 1, subscribes: 1, 'is answered': 1 });
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
const misses = fc.constant<StoreEvent>('Redis loses everything');

export const anyPlan: fc.Arbitrary<Plan> = fc.record({
  visitors: listOf(listOf(fc.record(visit), 2, 6), 4, 4),
  writers: listOf(listOf(write, 1, 3), 2, 2),
  lines: fc.oneof(
    listOf(fc.constant<LineEvent[]>([]), webCount, webCount),
    listOf(listOf(lineEvent, 0, 8), webCount, webCount),
  ),
  losses: listOf(listOf(oneInFour, 1, 4), webCount, webCount),
  stores: fc.oneof(listOf(misses, 0, 2), listOf(storeEvent, 0, 6)),
  clock: listOf(fc.constantFrom(1, 100, 300, 1_000, 2_000, 3_000), 1, 6),
  room: fc.constantFrom(1, 10),
});
