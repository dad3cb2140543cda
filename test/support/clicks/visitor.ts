/** An answer as a visitor's browser has it. */
export interface Visit {
  status: number;
  headers: Headers;
  text: string;
}

/** A request, whose headers are a plain object. */
export type Asking = Omit<RequestInit, 'headers'> & { headers?: Record<string, string> };

/** Asks as a browser does, and does not follow redirects. */
export async function visit(url: string, init: Asking = {}): Promise<Visit> {
  const response = await fetch(url, {
    redirect: 'manual',
    ...init,
    headers: { accept: 'text/html,application/xhtml+xml,*/*;q=0.8', ...init.headers },
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** Sends a form as a page of ours has a browser do. */
export async function submit(
  url: string,
  fields: Record<string, string> = {},
  headers: Record<string, string> = {},
): Promise<Visit> {
  return await visit(url, { method: 'POST', body: new URLSearchParams(fields), headers });
}
