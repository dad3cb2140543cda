/** The URL of a store is invalid. The message contains no part of the URL, which may be a secret. */
export class StoreUrlError extends Error {
  override readonly name = 'StoreUrlError';
}

interface StoreHost {
  /** Without the brackets of an IPv6 address; empty when the URL has none. */
  host: string;
  port: number | undefined;
}

/** The parts of a store's URL, decoded. */
export interface StoreUrl {
  scheme: string;
  user: string | undefined;
  password: string | undefined;
  /** The first one where several are allowed. */
  host: string;
  port: number | undefined;
  hosts: StoreHost[];
  /** With its leading slash; empty when the URL has none. */
  path: string;
  params: Map<string, string>;
}

const encodeHint =
  'has a special character in the user or password: percent-encode it (@ %40, : %3A, / %2F, ? %3F, # %23, % %25)';
const urlPattern = /^([a-z][a-z+]*):\/\/([^/?#]*)(\/[^?#]*)?(?:\?([^#]*))?(#.*)?$/i;
const hostPattern = /^(?:\[([0-9a-f:.]+(?:%25[\w.-]+)?)\]|([^:@[\]]*))(?::(\d+))?$/i;

/** Parses the URL of a store. A password may contain `@` and `:`; `/`, `?`, `#` and `%` must be percent-encoded. Several hosts, separated by
 *  commas, are allowed with the schemes in `listSchemes`. Throws a StoreUrlError. */
export function readStoreUrl(
  text: string,
  { schemes, listSchemes = [], example }: { schemes: string[]; listSchemes?: string[]; example: string },
): StoreUrl {
  const [, scheme = '', authority = '', path = '', query, fragment] = urlPattern.exec(text) ?? [];
  if (!schemes.includes(scheme.toLowerCase())) throw new StoreUrlError(`must be a URL such as ${example}`);
  // oxlint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\u007f]/.test(text))
    throw new StoreUrlError('has a line break or control character in it');
  const at = authority.lastIndexOf('@');
  const strayAt = at < 0 && `${path}${query ?? ''}`.includes('@');
  if (fragment !== undefined || strayAt) throw new StoreUrlError(encodeHint);
  const list = authority.slice(at + 1);
  const allowsList = listSchemes.includes(scheme.toLowerCase());
  if (list.includes(',') && !allowsList) throw new StoreUrlError('has several hosts; only one is supported');
  const hosts = list
    .split(',')
    .map((host) => readHost(host, { isUserPossible: text.includes('@'), example }));
  const [user, ...password] = at < 0 ? [] : authority.slice(0, at).split(':');
  return {
    scheme: scheme.toLowerCase(),
    user: decode(user),
    password: decode(password.length > 0 ? password.join(':') : undefined),
    ...hosts[0]!,
    hosts,
    path: decode(path) ?? '',
    params: readParams(query ?? ''),
  };
}

function readHost(text: string, hints: { isUserPossible: boolean; example: string }): StoreHost {
  const found = hostPattern.exec(text);
  if (!found) {
    if (hints.isUserPossible) throw new StoreUrlError(encodeHint);
    throw new StoreUrlError(
      (text.match(/:/g) ?? []).length > 1
        ? 'has an IPv6 address without brackets: write [::1]:port'
        : `must be a URL such as ${hints.example}`,
    );
  }
  const port = found[3] === undefined ? undefined : Number(found[3]);
  if (port !== undefined && (port < 1 || port > 65_535))
    throw new StoreUrlError('must have a port from 1 to 65535');
  return { host: decode(found[1] ?? found[2]) ?? '', port };
}

function readParams(query: string): Map<string, string> {
  if (/%(?![0-9a-f]{2})/i.test(query))
    throw new StoreUrlError('has a % in its parameters: percent-encode it (%25)');
  return new Map(new URLSearchParams(query));
}

/** Percent-decodes a text; undefined when it is empty. */
function decode(text: string | undefined): string | undefined {
  try {
    return text ? decodeURIComponent(text) : undefined;
  } catch {
    throw new StoreUrlError(encodeHint);
  }
}

/** Throws a StoreUrlError that names the unsupported parameters: one without effect is a mistake. */
export function rejectUnknownParams(params: Map<string, string>, known: string[]): void {
  const unknown = [...params.keys()].filter((name) => !known.includes(name));
  if (unknown.length === 0) return;
  // After a stray "?" in a password its rest looks like parameters: such names are not shown.
  const names = unknown.map((name) => (/^[a-z_]{2,40}$/i.test(name) && params.get(name) !== '' ? name : '…'));
  throw new StoreUrlError(`has unsupported parameters: ${names.join(', ')} (supported: ${known.join(', ')})`);
}
