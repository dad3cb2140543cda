import { parseUrl } from '../validation/parse-url.ts';

/** Whether an issuer is the configured one, in any spelling of the same URL; none is if it is undefined. */
export function isIssuerOf(configured: string | undefined): (issuer: string) => boolean {
  const expected = configured === undefined ? undefined : parseUrl(configured)?.href;
  return (issuer) => expected !== undefined && parseUrl(issuer)?.href === expected;
}
