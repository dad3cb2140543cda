import { type ClickStore, createClickStore } from '../clicks/ledger/apply.ts';
import type { Knex } from '../storage/postgres/postgres.ts';
import { addToAnalytics } from './rollups/rollups.ts';

/** Counters, ledger and analytics, which only ever change together. */
export const openClickStore = (db: Knex): ClickStore =>
  createClickStore(db, { projections: [addToAnalytics] });
