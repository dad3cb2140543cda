import { decodeChanges } from '../../../../src/urls/changes/change.ts';
import { defaultSettings, type StoredUrl } from '../../../../src/urls/url.ts';
import type { Listener, UrlStores, UrlTable } from './stores.ts';

/** Redis and the table in memory, for thousands of runs. Each command is atomic. */
export function createMemoryUrlStores(): UrlStores {
  const prefix = 'memory';
  const listeners = new Set<Listener>();
  let values = new Map<string, { value: string; until: number }>();
  let copy: typeof values | undefined;
  const get = (key: string) => {
    const entry = values.get(key);
    return entry && entry.until > performance.now() ? entry.value : null;
  };
  const publish = (message: string) => {
    for (const { version, shortCode } of decodeChanges(message))
      for (const listener of listeners) listener(version, shortCode);
  };

  return {
    prefix,
    ownerId: 1,
    redis: {
      mget: async (keys) => keys.map(get),
      publish: async (_channel, message) => publish(message),
      del: async (key) => values.delete(key),
      // The only script that the cache sends: see versioned-set.ts.
      eval: async (_script, count, ...args) => {
        const keys = args.slice(0, count) as string[];
        const [channel, changes, ...rest] = args.slice(count) as [string, string, ...unknown[]];
        if (channel !== '') publish(changes);
        return keys.map((key, i) => {
          const [version, value, ttlSeconds] = rest.slice(3 * i) as [number, string, number];
          const until = performance.now() + ttlSeconds * 1_000;
          const current = get(key);
          const known = current === null ? -1 : Number(current.slice(0, current.indexOf(':')));
          if (known === version && version > 0) values.set(key, { value: current!, until });
          if (known >= version) return 0;
          values.set(key, { value: `${version}:${value}`, until });
          return 1;
        });
      },
    },
    table: createMemoryTable(),
    subscribe: async (listener) => {
      listeners.add(listener);
      return async () => void listeners.delete(listener);
    },
    faults: {
      'loses everything': async () => values.clear(),
      'is copied': async () => {
        copy = new Map(values);
      },
      'is rolled back to the copy': async () => {
        values = new Map(copy);
      },
    },
  };
}

function createMemoryTable(): UrlTable {
  const rows = new Map<string, StoredUrl>();
  let lastId = 0;
  let lastVersion = 0;
  const findRow = (shortCode: string) => {
    const row = rows.get(shortCode);
    return row?.isDeleted === false ? row : undefined;
  };
  const nextVersion = () => (lastVersion += 1);
  const change = (row: StoredUrl, changes: Partial<StoredUrl>) =>
    structuredClone(Object.assign(row, changes, { version: nextVersion() }));
  const isOneOf = (versions: number[] | null | undefined, row: StoredUrl) =>
    versions?.includes(row.version) ?? true;

  return {
    insertMany: async (urls) =>
      urls.map((input) => {
        const { shortCode, codeIsGenerated: _, ...fields } = input;
        if (rows.has(shortCode)) return undefined;
        const now = new Date();
        const url = {
          ...defaultSettings,
          ...fields,
          shortCode,
          id: (lastId += 1),
          createdAt: now,
          updatedAt: now,
          version: nextVersion(),
        };
        rows.set(shortCode, { ...url, isDeleted: false, hasEnded: false });
        return url;
      }),
    findByCode: async (shortCode) => structuredClone(rows.get(shortCode)),
    change: async (shortCode, changes, _owner, versions) => {
      const row = findRow(shortCode);
      if (!row || !isOneOf(versions, row)) return undefined;
      return change(row, { isActive: row.isActive || row.hasEnded, ...changes, hasEnded: false });
    },
    delete: async (shortCode, _owner, versions) => {
      const row = findRow(shortCode);
      if (!row || !isOneOf(versions, row)) return undefined;
      const { version } = change(row, { isDeleted: true });
      return { shortCode, version };
    },
    restore: async (shortCode) => {
      const row = rows.get(shortCode);
      return row?.isDeleted ? change(row, { isDeleted: false }) : undefined;
    },
    findDeleted: async (shortCodes) =>
      shortCodes.map((shortCode) => {
        const row = rows.get(shortCode);
        return row?.isDeleted
          ? { ...structuredClone(row), deletedAt: row.updatedAt, isAlias: false }
          : undefined;
      }),
    restoreAs: async (urls) =>
      urls.map((input) => {
        const { shortCode, codeIsGenerated: _, ...fields } = input;
        const row = rows.get(shortCode);
        if (!row?.isDeleted || row.createdBy !== fields.createdBy) return undefined;
        return change(row, { ...defaultSettings, ...fields, isDeleted: false, hasEnded: false });
      }),
    purgeOne: async (id, { versions }) => {
      const row = [...rows.values()].find((one) => one.id === id);
      if (!row || !isOneOf(versions, row)) return undefined;
      rows.delete(row.shortCode);
      return [{ shortCode: row.shortCode, version: nextVersion() }];
    },
    disableExpired: async (now) =>
      [...rows.values()]
        .filter((row) => row.isActive && !row.isDeleted && row.expiresAt && row.expiresAt <= now)
        .map((row) => change(row, { isActive: false, hasEnded: true })),
    purgeDeleted: async () => {
      for (const { shortCode, isDeleted } of rows.values()) if (isDeleted) rows.delete(shortCode);
    },
  };
}
