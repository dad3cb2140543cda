import { type ClickStore, createClickStore } from '../clicks/ledger/apply.ts';
import type { Knex } from '../storage/postgres/postgres.ts';
import { addToAnalytics } from './rollups/rollups.ts';

/** Opens the click store: counters, ledger and analytics change in one transaction. */
export const openClickStore = (db: Knex): ClickStore =>
  createClickStore(db, { projections: [addToAnalytics] });
