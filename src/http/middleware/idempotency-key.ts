import { createHash } from 'node:crypto';
import type { Context } from 'koa';
import type { PasswordHashing } from '../../urls/access/password.ts';
import type { IdempotencyKey } from '../../urls/store/idempotency-key.ts';
import { validationFailed } from '../problems/problem.ts';

/** How JSON spells a field that holds one. */
const passwordField = '"password":"';

/** The `Idempotency-Key` of a request, with a hash of all that it asks for; undefined without one. Throws a 422 for what can be
 *  none, or Overloaded. */
export async function readIdempotencyKey(
  ctx: Context,
  given: { asked: object; apiKeyId: number; passwordHashing: Pick<PasswordHashing, 'hashWithSalt'> },
): Promise<IdempotencyKey | undefined> {
  const { asked, apiKeyId, passwordHashing } = given;
  const key = ctx.req.headers['idempotency-key'] as string | undefined;
  if (key === undefined) return undefined;
  if (!/^[!-~]{1,255}$/.test(key)) {
    throw validationFailed([
      { field: 'Idempotency-Key', detail: 'must be 1 to 255 visible ASCII characters' },
    ]);
  }
  const request = JSON.stringify([ctx.method, ctx.path, asked]);
  const requestHash = request.includes(passwordField)
    ? await passwordHashing.hashWithSalt(request, `${apiKeyId} ${key}`)
    : createHash('sha256').update(request).digest();
  return { key, requestHash, item: 0 };
}
