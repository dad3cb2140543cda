import { type ParsedUrl, parseUrl } from '../../validation/parse-url.ts';
import { inOneSpelling } from './host-name.ts';

/** Ports that a service has in public, whatever the scheme: a proxy leads one of them to the other. */
const defaultPorts = new Set(['', '80', '443']);
/** How often a path is decoded: a path that is still encoded after that is taken for any path. */
const maxDecodings = 3;

const addressOf = ({ hostname, port }: Pick<ParsedUrl, 'hostname' | 'port'>) =>
  `${inOneSpelling(hostname)}:${defaultPorts.has(port) ? '' : port}`;

/** Whether a URL leads to this service, whose hosts are given as the URL parser spells them, each with the path below which the service
 *  is, if it has one. */
export function createOwnPlaces(places: readonly string[]) {
  const pathsByAddress = new Map<string, string[][]>();
  for (const place of places) {
    const url = parseUrl(`http://${place}`)!;
    const paths = pathsByAddress.get(addressOf(url)) ?? [];
    pathsByAddress.set(addressOf(url), [...paths, segmentsOf(url.pathname)]);
  }

  return (address: Pick<ParsedUrl, 'hostname' | 'port'>, path: string): boolean =>
    pathsByAddress.get(addressOf(address))?.some((own) => mayBeBelow(path, own)) ?? false;
}

/** Whether any server or proxy could take a path for one below `own`: they differ in what they decode, and in whether case, empty
 *  segments, dot segments and what follows a ";" count. */
function mayBeBelow(path: string, own: string[]): boolean {
  let text = path;
  for (let i = 0; i <= maxDecodings; i += 1) {
    const segments = segmentsOf(text);
    if (startsWith(segments, own) || startsWith(withoutDots(segments), own)) return true;
    const decoded = decodeOnce(text);
    if (decoded === text) return false;
    text = decoded;
  }
  return true;
}

const startsWith = (segments: string[], own: string[]) => own.every((segment, i) => segments[i] === segment);

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

/** Decodes ASCII characters, of which base paths consist, and each "%" that was encoded any number of times. */
const decodeOnce = (text: string): string =>
  text.replaceAll(/%(?:25)*([0-7][\da-f])/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
