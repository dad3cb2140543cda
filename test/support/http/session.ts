import { type Answer, createClient } from './client.ts';

/** Headers of a request that a script of a page of the service sends. */
export const fromOwnPage = { 'sec-fetch-site': 'same-origin' };

let addresses = 0;

/** A header with another client address each time, for a web process with `TRUSTED_PROXY_HOPS=1`: sign-ins are limited per address. */
export const fromNewAddress = () => ({ 'x-forwarded-for': `198.18.${addresses >> 8}.${addresses++ & 255}` });

/** The cookies that an answer sets or removes. */
export const cookiesOf = ({ headers }: Pick<Answer, 'headers'>): string[] => headers.getSetCookie();

/** The pair of name and value of the cookie that an answer sets. */
export function cookieOf(answer: Pick<Answer, 'headers'>): string {
  const [cookie = ''] = cookiesOf(answer);
  return cookie.split(';')[0]!;
}

/** A page of the service in a signed-in browser. */
export interface SignedIn {
  cookie: string;
  get: (path: string, headers?: Record<string, string>) => Promise<Answer>;
  request: (
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ) => Promise<Answer>;
}

/** A page of the service at this address in a browser that has this cookie. */
export function openPage(baseUrl: string, cookie: string): SignedIn {
  const client = createClient(baseUrl);
  const request: SignedIn['request'] = async (method, path, body, headers) =>
    await client.request(method, path, body, { ...fromOwnPage, cookie, ...headers });
  return {
    cookie,
    get: async (path, headers) => await request('GET', path, undefined, headers),
    request,
  };
}

/** Signs in with an API key or a sign-in token. Throws if the answer is not 204. */
export async function signIn(
  baseUrl: string,
  credential: { api_key: string } | { sign_in_token: string },
  headers: Record<string, string> = {},
): Promise<SignedIn> {
  const answer = await createClient(baseUrl).post('/api/v1/sessions', credential, {
    ...fromOwnPage,
    ...fromNewAddress(),
    ...headers,
  });
  if (answer.status !== 204) throw new Error(`not signed in: ${JSON.stringify(answer.body)}`);
  return openPage(baseUrl, cookieOf(answer));
}
