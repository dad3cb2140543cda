import type { Request } from './send.ts';

/** A curl command that repeats a request. */
export function asCurl(baseUrl: string, { method, target, headers, body }: Request): string {
  const parts = ['curl -sS -i --path-as-is -X', method];
  // Otherwise curl normalises the path.
  parts.push(
    target.startsWith('/') ? quote(baseUrl + target) : `--request-target ${quote(target)} ${baseUrl}`,
  );
  for (const [name, value] of headers)
    parts.push('-H', quote(value === '' ? `${name};` : `${name}: ${value}`));
  if (!body) return parts.join(' ');
  const text = body.toString();
  const isText = Buffer.from(text).equals(body) && !text.includes('\0') && text.length < 5_000;
  if (isText) return [...parts, '--data-binary', quote(text)].join(' ');
  return `echo ${body.toString('base64')} | base64 -d | ${parts.join(' ')} --data-binary @-`;
}

const quote = (text: string) => `'${text.replaceAll("'", String.raw`'\''`)}'`;
