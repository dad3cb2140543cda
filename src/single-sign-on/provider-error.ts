import { SignInFailed, type SignInFailure } from './sign-in-failed.ts';

/** OAuth errors with which a provider tells that the person or their session there has ended the sign-in. */
const denials = new Set(['access_denied', 'login_required', 'interaction_required', 'consent_required']);
const outages = new Set(['temporarily_unavailable', 'server_error']);

/** The failure that an error of `openid-client` stands for. Its details leave out everything that can contain a token. */
export function toSignInFailed(error: unknown): SignInFailed {
  if (error instanceof SignInFailed) return error;
  if (!(error instanceof Error)) return new SignInFailed('invalid', 'unexpected error');
  return new SignInFailed(reasonOf(error), printable(error.message), detailsOf(error));
}

function reasonOf(error: Error): SignInFailure {
  const { code, error: oauthError, status } = propertiesOf(error);
  if (causesOf(error).some(isConnectionFailure)) return 'unavailable';
  if (code === 'OAUTH_JWT_TIMESTAMP_CHECK_FAILED') return 'clock';
  if (typeof oauthError === 'string') {
    if (denials.has(oauthError)) return 'denied';
    if (outages.has(oauthError)) return 'unavailable';
    if (oauthError === 'invalid_grant') return 'used';
  }
  if (isOutage(status) || (error.cause instanceof Response && isOutage(error.cause.status)))
    return 'unavailable';
  return 'invalid';
}

/** The error and what has caused it, also where an answer ends early and its text is then not JSON. */
function causesOf(error: Error): Error[] {
  const causes = [error];
  for (let next = error.cause; next instanceof Error && causes.length < 5; next = next.cause)
    causes.push(next);
  return causes;
}

/** A time-out, or the error that `fetch` throws for a connection that fails. */
const isConnectionFailure = (error: Error) =>
  error.name === 'TimeoutError' ||
  error.name === 'AbortError' ||
  (error instanceof TypeError && error.cause !== undefined && propertiesOf(error).code === undefined);

const isOutage = (status: unknown) => typeof status === 'number' && (status >= 500 || status === 429);

function detailsOf(error: Error): Record<string, string> {
  const { code, error: oauthError, error_description: description } = propertiesOf(error);
  const { cause } = error;
  const details = {
    code,
    error: oauthError,
    description,
    cause: cause instanceof Error ? (propertiesOf(cause).code ?? cause.message) : undefined,
    status: cause instanceof Response ? String(cause.status) : undefined,
  };
  const texts = Object.entries(details).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  return Object.fromEntries(texts.map(([name, text]) => [name, printable(text)]));
}

const propertiesOf = (error: Error) =>
  error as Partial<Record<'code' | 'error' | 'error_description' | 'status', unknown>>;

/** A text of another system for the log, in which a terminal finds no commands. */
const printable = (text: string) => text.slice(0, 200).replaceAll(/[^\x20-\x7e]/g, '?');
