import { computed, signal } from '@preact/signals';
import { get, rejections, send } from '../api/client.ts';
import { Problem } from '../api/problem.ts';
import type { ApiKey } from '../api/types.ts';

/** The API key that the session belongs to; null without a session, undefined until that is known. */
export const apiKey = signal<ApiKey | null | undefined>(undefined);

/** Whether the service has ended a session that was valid before. What is typed stays on the page. */
export const isExpired = signal(false);

export type Scope = ApiKey['scopes'][number];

const scopes = computed(() => apiKey.value?.scopes ?? []);
export const may = (scope: Scope) => scopes.value.includes(scope) || scopes.value.includes('admin');

rejections.subscribe((count) => {
  if (count > 0 && apiKey.peek()) isExpired.value = true;
});

/** Reads who is signed in. Throws a Problem if the service does not answer. */
export async function loadSession(): Promise<void> {
  try {
    apiKey.value = await get('/api/v1/api-keys/current');
    isExpired.value = false;
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 401) throw error;
    apiKey.value ??= null;
  }
}

/** Signs in with an API key or with the token of a one-time link. Throws a Problem. */
export async function signIn(credential: { api_key: string } | { sign_in_token: string }): Promise<void> {
  await send('post', '/api/v1/sessions', { body: credential });
  await loadSession();
}

/** Ends the session; also all other sessions of the API key if `everywhere`. */
export async function signOut({ everywhere = false } = {}): Promise<void> {
  await send('delete', everywhere ? '/api/v1/sessions' : '/api/v1/sessions/current');
  apiKey.value = null;
  isExpired.value = false;
}
