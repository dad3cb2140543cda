/** Why a person is not signed in. `unknown`: the browser did not begin this sign-in, or has completed it. `used`: the provider has
 *  accepted its code before. `not-member`: in no group that may sign in; `no-groups`: the provider sent no groups. `revoked`: the API key
 *  of the person is revoked or has expired. */
export type SignInFailure =
  | 'unknown'
  | 'expired'
  | 'used'
  | 'denied'
  | 'not-member'
  | 'no-groups'
  | 'revoked'
  | 'unavailable'
  | 'clock'
  | 'invalid';

/** A sign-in that ends without a session. The message and the details are for the log, and contain neither codes nor tokens. */
export class SignInFailed extends Error {
  override readonly name = 'SignInFailed';
  readonly reason: SignInFailure;
  readonly details: Readonly<Record<string, string>>;

  constructor(reason: SignInFailure, message: string, details: Readonly<Record<string, string>> = {}) {
    super(message);
    this.reason = reason;
    this.details = details;
  }
}
