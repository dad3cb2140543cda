import type { UrlCleanupStore } from '../../../../src/urls/store/cleanup-store.ts';
import type { UrlStore } from '../../../../src/urls/store/url-store.ts';

/** The commands of Redis that the cache uses, and `del` for a faulty one. */
export interface CacheRedis {
  mget: (keys: string[]) => Promise<(string | null)[]>;
  eval: (script: string, numberOfKeys: number, ...args: (string | number)[]) => Promise<unknown>;
  publish: (channel: string, message: string) => Promise<unknown>;
  del: (key: string) => Promise<unknown>;
}

/** The table of short URLs, with the operations of jobs. */
export interface UrlTable
  extends
    Pick<
      UrlStore,
      'insertMany' | 'findByCode' | 'change' | 'delete' | 'restore' | 'findDeleted' | 'restoreAs' | 'purgeOne'
    >,
    Pick<UrlCleanupStore, 'disableExpired'> {
  /** Removes deleted short URLs, so that their codes are free again. */
  purgeDeleted: () => Promise<void>;
}

/** Receives published changes. */
export type Listener = (version: number, shortCode: string) => void;

/** The stores of web processes and workers. */
export interface UrlStores {
  prefix: string;
  /** The API key that creates short URLs. */
  ownerId: number;
  redis: CacheRedis;
  table: UrlTable;
  /** Passes published changes to the listener; the returned function waits for pending ones and unsubscribes. */
  subscribe: (listener: Listener) => Promise<() => Promise<void>>;
  /** Faults of the data in Redis. */
  faults: Record<'loses everything' | 'is copied' | 'is rolled back to the copy', () => Promise<void>>;
}
