import type { SessionStore } from './session-store.ts';
import { createToken, hashOf } from './token.ts';

/** Creates a link that signs a browser in with an API key, once and within `signInLinkMinutes`. The token is in the fragment of the URL, which
 *  browsers send to no server. */
export async function createSignInLink(
  { store, baseUrl }: { store: Pick<SessionStore, 'addSignInToken'>; baseUrl: string },
  apiKeyId: number,
): Promise<string> {
  const token = createToken();
  await store.addSignInToken(hashOf(token), apiKeyId);
  return `${baseUrl}/admin/#t=${token}`;
}
