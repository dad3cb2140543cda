import { fromNewAddress, openPage, type SignedIn } from '../http/session.ts';

const begin = '/admin/sign-in/oidc';

/** A browser without scripts: it keeps the cookies of each origin, and follows redirects when told. */
export function createBrowser() {
  const jars = new Map<string, Map<string, string>>();
  const jarOf = (url: string) => {
    const { origin } = new URL(url);
    const jar = jars.get(origin) ?? new Map<string, string>();
    jars.set(origin, jar);
    return jar;
  };

  /** Requests a URL with the cookies of its origin, and keeps those of the answer. */
  async function open(url: string, headers: Record<string, string> = {}): Promise<Response> {
    const jar = jarOf(url);
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { cookie, accept: 'text/html', ...headers },
    });
    for (const text of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(text)!;
      if (value === '' || /max-age=0|expires=Thu, 01 Jan 1970/i.test(text)) jar.delete(name!);
      else jar.set(name!, value!);
    }
    return response;
  }

  return {
    open,
    cookies: (url: string) => jarOf(url),

    /** Begins a sign-in; resolves to the address at the provider. */
    async begin(baseUrl: string, query = ''): Promise<string> {
      const response = await open(`${baseUrl}${begin}${query}`, fromNewAddress());
      if (response.status !== 303) throw new Error(`not begun: ${response.status} ${await response.text()}`);
      return response.headers.get('location')!;
    },

    /** Signs in at the provider; resolves to the URL at which the service is to complete the sign-in. */
    async agree(address: string): Promise<string> {
      const { origin } = new URL(address);
      let url = address;
      while (new URL(url).origin === origin) {
        const response = await open(url);
        const location = response.headers.get('location');
        if (location === null) throw new Error(`no redirect: ${response.status} ${await response.text()}`);
        url = new URL(location, url).href;
      }
      return url;
    },

    /** Comes back from the provider. */
    complete: async (url: string) => await open(url, fromNewAddress()),
  };
}

/** A page of the service in a browser, with its cookies. */
export const pageOf = (browser: ReturnType<typeof createBrowser>, baseUrl: string): SignedIn =>
  openPage(baseUrl, [...browser.cookies(baseUrl)].map((pair) => pair.join('=')).join('; '));

/** Signs in a new browser; resolves to it and to the answer of the service. */
export async function signInAtProvider(baseUrl: string, query = '') {
  const browser = createBrowser();
  const callback = await browser.agree(await browser.begin(baseUrl, query));
  const response = await browser.complete(callback);
  return { browser, callback, response, page: await response.text() };
}
