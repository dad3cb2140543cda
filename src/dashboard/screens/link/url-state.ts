import { call, get } from '../../api/client.ts';
import { asProblem } from '../../api/problem.ts';
import type { ShortUrl, UrlPatch } from '../../api/types.ts';

export const loadUrl = async (code: string, signal?: AbortSignal): Promise<ShortUrl> =>
  await get('/api/v1/urls/{short_code}', { params: { short_code: code }, signal });

/** The result of a change: saved, or refused because the short URL is no longer the one that the user saw. */
export type Saved = { url: ShortUrl } | { conflict: ShortUrl };

/** Changes a short URL if it still has the version that the user saw. Throws a Problem. */
export async function save(seen: ShortUrl, patch: UrlPatch): Promise<Saved> {
  const params = { short_code: seen.short_code };
  try {
    const { body } = await call('patch', '/api/v1/urls/{short_code}', {
      params,
      body: patch,
      headers: { 'if-match': `"${seen.version}"` },
    });
    return { url: body };
  } catch (error) {
    if (asProblem(error).status !== 412) throw error;
    return { conflict: await loadUrl(seen.short_code) };
  }
}
