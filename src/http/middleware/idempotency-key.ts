import { createHash } from 'node:crypto';
import type { Context } from 'koa';
import type { PasswordHashing } from '../../urls/access/password.ts';
import type { IdempotencyKey } from '../../urls/store/idempotency-key.ts';
import { validationFailed } from '../problems/problem.ts';

/** The beginning of a password field in JSON. */
const passwordField = '"password":"';

/** The `Idempotency-Key` of a request, with a hash of its input; undefined without one. The hash of a password is slow. Throws a 422 for
 *  an invalid key, or Overloaded. */
export async function readIdempotencyKey(
  ctx: Context,
  given: { input: object; apiKeyId: number; passwordHashing: Pick<PasswordHashing, 'hashWithSalt'> },
): Promise<IdempotencyKey | undefined> {
  const { input, apiKeyId, passwordHashing } = given;
  if (ctx.req.headers['idempotency-key'] === undefined) return undefined;
  const key = ctx.get('idempotency-key');
  if (!/^[!-~]{1,255}$/.test(key)) {
    throw validationFailed([
      { field: 'Idempotency-Key', detail: 'must be 1 to 255 visible ASCII characters' },
    ]);
  }
  const request = JSON.stringify([ctx.method, ctx.path, input]);
  const requestHash = request.includes(passwordField)
    ? await passwordHashing.hashWithSalt(request, `${apiKeyId} ${key}`)
    : createHash('sha256').update(request).digest();
  return { key, requestHash, item: 0 };
}
