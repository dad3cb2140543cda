import { signal } from '@preact/signals';
import { get } from '../api/client.ts';
import type { ServiceInfo } from '../api/types.ts';

/** What the service is and allows; undefined until it has answered. */
export const service = signal<ServiceInfo | undefined>(undefined);

/** Reads what the service is. Without an answer the dashboard keeps what it knows, or uses the defaults of the API. */
export async function loadService(): Promise<void> {
  service.value = await get('/api/v1/service').catch(() => service.value);
}

/** Short URLs per bulk request. */
export const maxBulkItems = () => service.value?.limits.bulk_items ?? 1_000;
