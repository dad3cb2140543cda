import type { WebConfig } from './web.ts';

type OwnHosts = Pick<WebConfig, 'BASE_URL' | 'ALIAS_HOSTS'>;

/** The hosts of this service, with ports other than the default, and the path of the base URL if it has one. A name without a port is listed
 *  with the port of the base URL and without one. */
export function ownHostsOf({ BASE_URL, ALIAS_HOSTS }: OwnHosts): string[] {
  const { host, port, pathname } = new URL(BASE_URL);
  const names =
    port === '' ? [] : ALIAS_HOSTS.filter((name) => !hasPort(name)).map((name) => `${name}:${port}`);
  return [pathname === '/' ? host : `${host}${pathname}`, ...ALIAS_HOSTS, ...names];
}

/** The host names of this service, without ports. */
export const ownHostNamesOf = ({ BASE_URL, ALIAS_HOSTS }: OwnHosts): string[] => [
  new URL(BASE_URL).hostname,
  ...ALIAS_HOSTS.map((name) => name.replace(portPattern, '')),
];

const portPattern = /:\d+$/;
const hasPort = (name: string) => portPattern.test(name);
