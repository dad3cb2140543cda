import type { Callers } from '../callers.ts';
import type { Request } from '../send.ts';
import { isKnown, type KnownValues } from './known-values.ts';
import type { Plan } from './requests.ts';

/** Replaces characters that Node rejects in headers. */
const headerText = (text: string) => text.replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, '?').trim();
/** Encodes characters that Node rejects in a request target. */
const targetText = (text: string) =>
  [...Buffer.from(text)]
    .map((byte) => (byte > 0x20 && byte < 0x7f ? String.fromCharCode(byte) : percent(byte)))
    .join('');
const percent = (byte: number) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
const encode = (text: string) => encodeURIComponent(Buffer.from(text).toString());

/** Resolves the references of a plan with values from earlier answers. `headersOf` returns the credential of a caller. */
export function resolve(plan: Plan, knownValues: KnownValues, headersOf: Callers['headersOf']): Request {
  const { operation, nth } = plan;
  const shown = knownValues.findShown(operation.tag, Object.keys(plan.path), nth) ?? {};

  /** Values that belong to the object in the path are taken from that object. */
  const find = (node: unknown): unknown => {
    if (isKnown(node)) return shown[node.field] ?? knownValues.findValue(node.field, node.nth) ?? 'none-yet';
    if (Array.isArray(node)) return node.map(find);
    if (typeof node !== 'object' || node === null || Buffer.isBuffer(node)) return node;
    return Object.fromEntries(Object.entries(node).map(([name, value]) => [name, find(value)]));
  };
  const textOf = (node: unknown) => String(find(node));

  const path = operation.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encode(textOf(plan.path[name])));
  const query = plan.query.flatMap(([name, value]) => {
    const found = find(value);
    // A list is a repeated parameter.
    const values = Array.isArray(found) ? found.map(String) : found === undefined ? [] : [textOf(value)];
    return values.length === 0 ? encode(name) : values.map((one) => `${encode(name)}=${encode(one)}`);
  });
  const body = plan.body && bytesOf(find(plan.body.content), plan.body.type);
  return {
    method: plan.method,
    target: targetText((plan.bend?.(path) ?? path) + (query.length > 0 ? `?${query.join('&')}` : '')) || '/',
    headers: [
      ...headersOf(plan.caller, plan.asBearer),
      ...(plan.body?.type === undefined ? [] : [['content-type', plan.body.type]]),
      ...plan.headers.map(([name, value]) => [name, headerText(textOf(value))]),
    ] as Request['headers'],
    body,
  };
}

const formType = 'application/x-www-form-urlencoded';

function bytesOf(content: unknown, type: string | undefined): Buffer {
  if (Buffer.isBuffer(content)) return content;
  if (type === formType && typeof content === 'object') {
    const form = new URLSearchParams();
    for (const [name, value] of Object.entries(content ?? {})) form.append(name, String(value));
    return Buffer.from(form.toString());
  }
  const isText = typeof content === 'string' && type !== 'application/json';
  return Buffer.from(isText ? content : (JSON.stringify(content) ?? ''));
}
