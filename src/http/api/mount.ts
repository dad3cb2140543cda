import type Router from '@koa/router';
import type { Middleware } from 'koa';
import { ownerOf } from '../../api-keys/api-key.ts';
import type { PasswordHashing } from '../../urls/access/password.ts';
import { type ApiState, apiKeyOf, requireScope } from '../middleware/authenticate.ts';
import { readIdempotencyKey } from '../middleware/idempotency-key.ts';
import { chargeAs, type RateLimits } from '../middleware/rate-limits.ts';
import { bodyLengthOf, bodyOf, jsonBody, uploadBody, validate } from '../middleware/validation.ts';
import { methodNotAllowed } from '../problems/problem.ts';
import { sendAnswer } from '../routes/reply.ts';
import {
  type ApiAnswer,
  type ApiRequest,
  defaultBodyBytes,
  type Handlers,
  type Operation,
  type Operations,
  weighBytes,
} from './operation.ts';

/** Adds a route for each operation: authorises, validates, rate-limits and handles its requests. */
export function mount<Ops extends Operations>(
  api: Router<ApiState>,
  operations: Ops,
  handlers: Handlers<Ops>,
  deps: {
    rateLimits: RateLimits;
    passwordHashing: Pick<PasswordHashing, 'hashWithSalt'>;
    basePath: string;
  },
): void {
  const { rateLimits, passwordHashing, basePath } = deps;
  for (const [name, operation] of Object.entries(operations)) {
    // The handler's type derives from the same schemas as the validation.
    const handle = handlers[name] as (request: ApiRequest<Operation>) => Promise<ApiAnswer<Operation>>;
    // Authorisation precedes validation: an error must not reveal the schema.
    const beforehand = [requireScope(operation.scope), ...bodyReaders(operation)];
    api[operation.method](name, pathOf(operation), ...beforehand, async (ctx) => {
      // The router routes HEAD to GET.
      if (operation.isUnsafe && ctx.method === 'HEAD') throw methodNotAllowed(operation.method.toUpperCase());
      const { params, query, body } = operation;
      const apiKey = apiKeyOf(ctx.state);
      const input = {
        params: params && validate(params, ctx.params),
        query: query && validate(query, { ...ctx.query }),
        body: body && validate(body, bodyOf(ctx)),
      };
      const weight = operation.weightOf?.(input) ?? 1;
      chargeAs(ctx, rateLimits, Math.max(weight, weighBytes(bodyLengthOf(ctx))));
      const answer = await handle({
        ...input,
        apiKey,
        owner: ownerOf(apiKey),
        idempotencyKey: operation.isIdempotent
          ? await readIdempotencyKey(ctx, { input, apiKeyId: apiKey.id, passwordHashing })
          : undefined,
        ctx,
      });
      sendAnswer(ctx, answer);
      const location = answer.headers?.['Location'];
      if (location?.startsWith('/')) ctx.set('Location', `${basePath}${location}`);
    });
  }
}

function bodyReaders({ body, maxBodyBytes, upload }: Operation): Middleware[] {
  if (upload) return [uploadBody(upload)];
  return body ? [jsonBody(maxBodyBytes ?? defaultBodyBytes)] : [];
}

/** The path of an operation in the router's syntax. */
const pathOf = ({ path }: Operation) => path.replaceAll(/\{(\w+)\}/g, ':$1');
