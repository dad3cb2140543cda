import type { ImportedUrl } from '../../../../src/transfers/rows/row-schema.ts';
import { evaluateAll, type Evaluation, type Row } from '../row.ts';
import { withBadLimit, withBadSecondary } from './malformed-values.ts';
import { readFile, type ReadFile } from './read-file.ts';
import { cutOff, documents, incomplete, type Variant, writtenOtherwise } from './variants.ts';

/** Files of twelve services in many variants, incomplete and damaged, read as for an import. */
export async function measureFiles(): Promise<Row[]> {
  return [
    await evaluateAll({ name: 'CSV in every form', goal: 1, inputs: writtenOtherwise() }, isComplete),
    await evaluateAll({ name: 'JSON and SQL', goal: 1, inputs: documents() }, isComplete),
    await evaluateAll({ name: 'without a column', goal: 1, inputs: incomplete() }, isNeverAnother),
    await evaluateAll({ name: 'cut off', goal: 1, inputs: cutOff() }, isNeverAnother),
    await evaluateAll({ name: 'bad secondary values', goal: 1, inputs: withBadSecondary() }, async (file) =>
      evaluate(file.name, isKept(await readFile(file.content))),
    ),
    await evaluateAll({ name: 'bad limits', goal: 1, inputs: withBadLimit() }, async (file) =>
      evaluate(file.name, isRefused(await readFile(file.content))),
    ),
  ];
}

const evaluate = (shown: string, isRight: boolean): Evaluation => ({
  outcome: isRight ? 'right' : 'wrong',
  shown,
});

const isKept = ({ urls, refused }: ReadFile) => urls.length === 1 && refused === 0;
const isRefused = ({ urls, refused }: ReadFile) => urls.length === 0 && refused === 1;

/** All short URLs are read with their codes, and the same rows are rejected. */
async function isComplete({ name, file, content }: Variant): Promise<Evaluation> {
  const { format, urls, refused } = await readFile(content);
  if (format === undefined) return { outcome: 'refused', shown: name };
  const isRight =
    format === file.format &&
    refused === (file.refused?.length ?? 0) &&
    urls.length === file.urls.length &&
    urls.every((url) => isExpected(url, file.urls));
  return evaluate(name, isRight);
}

/** Each row that is read has a code and a URL that belong together in the complete file. Only Linkmill's own columns
 *  may omit codes. */
async function isNeverAnother({ name, file, content }: Variant): Promise<Evaluation> {
  const { urls } = await readFile(content);
  const lines = file.content.split(/\n|\},|\),/);
  const belong = ({ shortCode, originalUrl }: ImportedUrl) =>
    lines.some((line) => line.includes(new URL(originalUrl).pathname) && line.includes(shortCode ?? ''));
  const isCoded = ({ shortCode }: ImportedUrl) => shortCode !== undefined || file.format === 'linkmill';
  return evaluate(
    name,
    urls.every((url) => belong(url) && isCoded(url)),
  );
}

function isExpected(url: ImportedUrl, expected: Record<string, unknown>[]): boolean {
  const found = expected.find((one) => one['short_code'] === url.shortCode);
  return found !== undefined && (found['original_url'] ?? url.originalUrl) === url.originalUrl;
}
