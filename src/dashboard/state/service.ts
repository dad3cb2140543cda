import { signal } from '@preact/signals';
import { isAvailable } from '../api/available.ts';
import { send } from '../api/client.ts';

/** Facts of the service (`GET /api/v1/service`). */
export interface Service {
  service: string;
  version: string;
  base_url: string;
  site_name: string;
  click_detail: 'full' | 'rollup' | 'count';
  retention: Record<string, number>;
  code: { min_length: number; max_length: number; characters: 'ascii' | 'dots' | 'unicode' };
  limits: { bulk_items: number };
  features: Record<string, boolean>;
}

export const service = signal<Service | undefined>(undefined);

/** Reads the facts; without them the dashboard uses the defaults of the API. */
export async function loadService(): Promise<void> {
  if (!isAvailable('/api/v1/service')) return;
  service.value = await send<Service>('get', '/api/v1/service').then(
    ({ body }) => body,
    () => undefined,
  );
}

/** Short URLs per bulk request. */
export const maxBulkItems = () => service.value?.limits.bulk_items ?? 1_000;
