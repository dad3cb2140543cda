import type Router from '@koa/router';
import type { Context, Middleware } from 'koa';
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
  type RequestInput,
  weighBytes,
} from './operation.ts';

/** Adds a route for each operation: authenticates, authorises, validates, rate-limits and handles its requests. */
export function mount<Ops extends Operations>(
  api: Router<ApiState>,
  operations: Ops,
  handlers: Handlers<Ops>,
  deps: {
    /** Sets the API key of a request, and charges the request to it. */
    authenticate: Middleware<ApiState>;
    rateLimits: RateLimits;
    passwordHashing: Pick<PasswordHashing, 'hashWithSalt'>;
    basePath: string;
  },
): void {
  const { rateLimits, passwordHashing, basePath } = deps;

  /** Charges a request with its full weight, and reads its `Idempotency-Key`. */
  async function authorise(ctx: Context, operation: Operation, input: RequestInput) {
    const apiKey = apiKeyOf(ctx.state);
    const weight = operation.weightOf?.(input) ?? 1;
    chargeAs(ctx, rateLimits, Math.max(weight, weighBytes(bodyLengthOf(ctx))));
    const idempotencyKey = operation.isIdempotent
      ? await readIdempotencyKey(ctx, { input, apiKeyId: apiKey.id, passwordHashing })
      : undefined;
    return { apiKey, owner: ownerOf(apiKey), idempotencyKey };
  }

  for (const [name, operation] of Object.entries(operations)) {
    // The handler's type derives from the same schemas as the validation.
    const handle = handlers[name] as (request: ApiRequest<Operation>) => Promise<ApiAnswer<Operation>>;
    // Authorisation precedes validation: an error must not reveal the schema.
    const { scope } = operation;
    const authorisers = scope === 'none' ? [] : [deps.authenticate, requireScope(scope)];
    const beforehand = [...authorisers, ...bodyReaders(operation)];
    api[operation.method](name, pathOf(operation), ...beforehand, async (ctx) => {
      // The router routes HEAD to GET.
      if (operation.isUnsafe && ctx.method === 'HEAD') throw methodNotAllowed(operation.method.toUpperCase());
      const { params, query, body } = operation;
      const input = {
        params: params && validate(params, ctx.params),
        query: query && validate(query, { ...ctx.query }),
        body: body && validate(body, bodyOf(ctx)),
      };
      const authorisation = scope === 'none' ? undefined : await authorise(ctx, operation, input);
      const answer = await handle({ ...input, ctx, ...authorisation } as ApiRequest<Operation>);
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
