/** A field of a request that breaks a rule. */
export interface FieldError {
  field: string;
  detail: string;
}

/** An answer that is not a success (RFC 9457), or a request without an answer, which has the status 0. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: number;
  /** Name of the problem type, such as `code-taken`; `offline` without an answer. */
  readonly type: string;
  readonly fields: FieldError[];
  readonly retryAfterSeconds: number | undefined;

  constructor(
    status: number,
    type: string,
    detail: string,
    more: { fields?: FieldError[]; retryAfterSeconds?: number } = {},
  ) {
    super(detail);
    this.status = status;
    this.type = type;
    this.fields = more.fields ?? [];
    this.retryAfterSeconds = more.retryAfterSeconds;
  }

  /** What is wrong with a field. */
  of(field: string): string | undefined {
    const found = this.fields.find((one) => one.field === field || one.field.startsWith(`${field}.`));
    return found && `${found.detail[0]!.toUpperCase()}${found.detail.slice(1)}.`;
  }

  /** Whether the same request can succeed later. */
  get isTemporary(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

export const offline = () => new Problem(0, 'offline', 'The service does not answer.');

/** The problem of an answer. */
export async function readProblem(response: Response): Promise<Problem> {
  const retryAfter = Number(response.headers.get('retry-after')) || undefined;
  const body = (await response.json().catch(() => ({}))) as {
    type?: string;
    detail?: string;
    errors?: FieldError[];
  };
  const type = body.type?.split('#')[1] ?? 'internal-error';
  const detail = body.detail ?? `The service answered ${response.status}.`;
  return new Problem(response.status, type, detail, {
    fields: body.errors,
    retryAfterSeconds: retryAfter,
  });
}

export const asProblem = (error: unknown): Problem =>
  error instanceof Problem ? error : new Problem(0, 'internal-error', String(error));
