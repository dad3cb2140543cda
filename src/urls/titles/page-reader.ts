import { type LookupAddress, type LookupAllOptions, lookup as lookUp } from 'node:dns';
import { once } from 'node:events';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { type ParsedUrl, parseUrl } from '../../validation/parse-url.ts';
import { version } from '../../version.ts';
import { isPublicAddress } from '../input/public-address.ts';

/** Time limit of a page, with its redirects. */
const deadlineMs = 5_000;
const maxRedirects = 3;
/** Bytes of a page that are read: titles are near the beginning. */
const maxBytes = 256 * 1_024;
/** The title ends within a page that is read up to here. */
const titleEnd = /<\/title/i;

const headers = {
  accept: 'text/html',
  'accept-encoding': 'identity',
  'user-agent': `Mozilla/5.0 (compatible; LinkmillBot/${version})`,
};

/** Why a page was not read. `address`: the host has an address that is not public. */
export type PageFailure =
  | 'scheme'
  | 'blocked'
  | 'address'
  | 'redirects'
  | 'status'
  | 'type'
  | 'connection'
  | 'timeout';

/** A page that cannot, or must not, be read. */
export class PageUnreadable extends Error {
  override readonly name = 'PageUnreadable';
  readonly reason: PageFailure;

  constructor(reason: PageFailure, options?: ErrorOptions) {
    super(`the page is not readable: ${reason}`, options);
    this.reason = reason;
  }
}

/** The beginning of an HTML page. */
export interface Page {
  bytes: Buffer;
  contentType: string;
}

export type ReadPage = ReturnType<typeof createPageReader>;

type Resolve = (
  host: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/** Reads pages that clients name, which may be anywhere: only public addresses are connected to (server-side request forgery). One host gets
 *  one request at a time. */
export function createPageReader(deps: {
  isBlocked: (url: string) => boolean;
  isAllowedAddress?: (address: string) => boolean;
  resolve?: Resolve;
}) {
  const { isBlocked, isAllowedAddress = isPublicAddress, resolve = lookUp } = deps;
  const inTurn = createTurns();

  /** Resolves a host once, and gives the connection no other address than those that were checked: the next answer of its name server could
   *  be another one (DNS rebinding). */
  const lookup: LookupFunction = (host, options, callback) => {
    resolve(host, { ...options, all: true }, (error, addresses) => {
      const isAllowed = addresses?.length > 0 && addresses.every(({ address }) => isAllowedAddress(address));
      if (error) callback(error, []);
      else if (!isAllowed) callback(new PageUnreadable('address'), []);
      else if (options.all) callback(null, addresses);
      else callback(null, addresses[0]!.address, addresses[0]!.family);
    });
  };

  function requireAllowed({ protocol, hostname, href }: ParsedUrl): void {
    if (!/^https?:$/.test(protocol)) throw new PageUnreadable('scheme');
    if (isBlocked(href)) throw new PageUnreadable('blocked');
    const host = withoutBrackets(hostname);
    // Addresses are not looked up.
    if (isIP(host) > 0 && !isAllowedAddress(host)) throw new PageUnreadable('address');
  }

  async function send(url: ParsedUrl, signal: AbortSignal): Promise<IncomingMessage> {
    requireAllowed(url);
    const request = url.protocol === 'https:' ? requestHttps : requestHttp;
    const { protocol, port, pathname, search } = url;
    const sent = request({
      protocol,
      hostname: withoutBrackets(url.hostname),
      port,
      path: pathname + search,
      headers,
      agent: false,
      lookup,
      signal,
    });
    const answered = once(sent, 'response') as Promise<[IncomingMessage]>;
    // An error after the response fails the response too.
    sent.on('error', () => undefined);
    sent.end();
    return (await answered)[0];
  }

  async function follow(url: ParsedUrl, redirects: number, signal: AbortSignal): Promise<Page> {
    const response = await send(url, signal);
    const { statusCode = 0, headers } = response;
    try {
      if (statusCode >= 300 && statusCode < 400 && headers.location !== undefined) {
        const next = parseUrl(headers.location, url.href);
        if (redirects === maxRedirects || next === undefined) throw new PageUnreadable('redirects');
        return await follow(next, redirects + 1, signal);
      }
      if (statusCode !== 200) throw new PageUnreadable('status');
      const contentType = headers['content-type'] ?? '';
      const isEncoded = (headers['content-encoding'] ?? 'identity') !== 'identity';
      if (!/^text\/html(?:\s*;|$)/i.test(contentType) || isEncoded) throw new PageUnreadable('type');
      return { bytes: await readBeginning(response), contentType };
    } finally {
      response.destroy();
    }
  }

  /** Reads the beginning of the page at a URL. Rejects with PageUnreadable, also when the signal aborts. */
  return async function readPage(text: string, signal: AbortSignal): Promise<Page> {
    const url = parseUrl(text);
    if (url === undefined) throw new PageUnreadable('scheme');
    return await inTurn(url.host, async () => {
      const deadline = AbortSignal.timeout(deadlineMs);
      try {
        return await follow(url, 0, AbortSignal.any([signal, deadline]));
      } catch (error) {
        if (error instanceof PageUnreadable) throw error;
        throw new PageUnreadable(deadline.aborted ? 'timeout' : 'connection', { cause: error });
      }
    });
  };
}

async function readBeginning(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  let tail = '';
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    const text = tail + chunk.toString('latin1');
    if (size >= maxBytes || titleEnd.test(text)) break;
    tail = text.slice(-10);
  }
  return Buffer.concat(chunks).subarray(0, maxBytes);
}

/** Runs work of the same name one after the other. */
function createTurns() {
  const last = new Map<string, Promise<unknown>>();
  return async function inTurn<T>(name: string, run: () => Promise<T>): Promise<T> {
    const before = last.get(name);
    const work = (async () => {
      await before?.catch(() => undefined);
      return await run();
    })();
    last.set(name, work);
    try {
      return await work;
    } finally {
      if (last.get(name) === work) last.delete(name);
    }
  };
}

const withoutBrackets = (host: string) => host.replace(/^\[(.*)\]$/, '$1');
