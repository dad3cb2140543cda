/** An answer with its parsed JSON body. */
export interface Answer {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
}

/** The body of an answer; of a stream, the first chunk. */
export async function textOf(response: Response): Promise<string> {
  if (!response.headers.get('content-type')?.startsWith('text/event-stream')) return await response.text();
  const reader = response.body!.getReader();
  const { value } = await reader.read();
  await reader.cancel();
  return Buffer.from(value ?? []).toString();
}

/** Whether a body is sent without serialisation. */
const isReady = (body: unknown): body is string | Buffer<ArrayBuffer> =>
  typeof body === 'string' || Buffer.isBuffer(body);

export type Client = ReturnType<typeof createClient>;

/** An API client that does not follow redirects. */
export function createClient(baseUrl: string, apiKey?: string) {
  async function request(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const response = await fetch(`${baseUrl}${path}`, {
      method,
      redirect: 'manual',
      headers: {
        ...(apiKey === undefined ? {} : { 'x-api-key': apiKey }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: isReady(body) ? body : JSON.stringify(body) }),
    });
    const text = await textOf(response);
    const isJson = /json/.test(response.headers.get('content-type') ?? '') && text !== '';
    return {
      status: response.status,
      headers: response.headers,
      body: isJson ? (JSON.parse(text) as Record<string, unknown>) : {},
    };
  }
  return {
    get: async (path: string, headers?: Record<string, string>) =>
      await request('GET', path, undefined, headers),
    head: async (path: string) => await request('HEAD', path),
    post: async (path: string, body?: unknown, headers?: Record<string, string>) =>
      await request('POST', path, body, headers),
    patch: async (path: string, body?: unknown, headers?: Record<string, string>) =>
      await request('PATCH', path, body, headers),
    delete: async (path: string) => await request('DELETE', path),
    request,
  };
}
