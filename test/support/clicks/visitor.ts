/** A response as a browser receives it. */
export interface Visit {
  status: number;
  headers: Headers;
  text: string;
}

/** Request options with headers as a plain object. */
export type RequestOptions = Omit<RequestInit, 'headers'> & { headers?: Record<string, string> };

/** Sends a request like a browser, without following redirects. */
export async function visit(url: string, init: RequestOptions = {}): Promise<Visit> {
  const response = await fetch(url, {
    redirect: 'manual',
    ...init,
    headers: { accept: 'text/html,application/xhtml+xml,*/*;q=0.8', ...init.headers },
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** Submits a form like a browser. */
export async function submit(
  url: string,
  fields: Record<string, string> = {},
  headers: Record<string, string> = {},
): Promise<Visit> {
  return await visit(url, { method: 'POST', body: new URLSearchParams(fields), headers });
}
