import { type ParsedUrl, parseUrl } from '../../validation/parse-url.ts';
import { normaliseHost } from './host-name.ts';

/** Public ports that are equivalent: a proxy usually redirects one to the other. */
const defaultPorts = new Set(['', '80', '443']);
/** A path that is still encoded after this many decodings matches any path. */
const maxDecodings = 3;

const addressOf = ({ hostname, port }: Pick<ParsedUrl, 'hostname' | 'port'>) =>
  `${normaliseHost(hostname)}:${defaultPorts.has(port) ? '' : port}`;

/** Creates a check whether a URL leads to this service. Hosts are in the URL parser's spelling, each with its base
 *  path, if any. */
export function createOwnHostCheck(hosts: readonly string[]) {
  const pathsByAddress = new Map<string, string[][]>();
  for (const host of hosts) {
    const url = parseUrl(`http://${host}`)!;
    const paths = pathsByAddress.get(addressOf(url)) ?? [];
    pathsByAddress.set(addressOf(url), [...paths, segmentsOf(url.pathname)]);
  }

  return (address: Pick<ParsedUrl, 'hostname' | 'port'>, path: string): boolean =>
    pathsByAddress.get(addressOf(address))?.some((base) => mayRouteBelow(path, base)) ?? false;
}

/** Whether any server or proxy could route a path below `base`. They differ in decoding, and in the treatment of case,
 *  empty segments, dot segments and ";" parameters. */
function mayRouteBelow(path: string, base: string[]): boolean {
  let text = path;
  for (let i = 0; i <= maxDecodings; i += 1) {
    const segments = segmentsOf(text);
    if (startsWith(segments, base) || startsWith(withoutDots(segments), base)) return true;
    const decoded = decodeOnce(text);
    if (decoded === text) return false;
    text = decoded;
  }
  return true;
}

const startsWith = (segments: string[], base: string[]) =>
  base.every((segment, i) => segments[i] === segment);

const segmentsOf = (path: string): string[] =>
  path
    .toLowerCase()
    .split(/[/\\]+/)
    .map((segment) => segment.split(';', 1)[0]!)
    .filter(Boolean);

function withoutDots(segments: string[]): string[] {
  const resolved: string[] = [];
  for (const segment of segments) {
    if (segment === '..') resolved.pop();
    else if (segment !== '.') resolved.push(segment);
  }
  return resolved;
}

/** Decodes ASCII characters, which base paths consist of, and each "%" that was encoded any number of times. */
const decodeOnce = (text: string): string =>
  text.replaceAll(/%(?:25)*([0-7][\da-f])/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
