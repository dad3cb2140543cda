import { signal } from '@preact/signals';
import { get } from '../api/client.ts';
import type { ServiceInfo } from '../api/types.ts';

/** What the service is and allows; undefined until it has answered, and the dashboard uses the defaults of the API. */
export const service = signal<ServiceInfo | undefined>(undefined);

/** Reads what the service is. Throws a Problem. */
export async function loadService(): Promise<void> {
  service.value = await get('/api/v1/service');
}

/** Short URLs per bulk request. */
export const maxBulkItems = () => service.value?.limits.bulk_items ?? 1_000;
