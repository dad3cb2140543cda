import type { Batch, ClickCount } from '../click-batch.ts';
import { decodeDetailedClicks, detailedFields, encodeDetailedClicks } from './detail-codec.ts';

/** A batch as the fields of a stream entry. */
export interface EncodedBatch {
  producer: string;
  fields: string[];
}

const headFields = ['p', 's', 'a', 't'];
const plainFields = ['c'];
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Encodes a batch as fields of a stream entry: producer (p), sequence number (s), accepted (a), first time (t), and
 *  the clicks, in one field (c) without details or in four with details. Short names and time differences save Redis
 *  memory. */
export function encodeBatch({ producer, seq, accepted, clicks }: Batch): string[] {
  const firstAtMs = clicks.reduce((first, click) => Math.min(first, click.lastAtMs), Infinity);
  const isPlain = clicks.every(({ detail }) => detail === undefined);
  const names = [...headFields, ...(isPlain ? plainFields : detailedFields)];
  const head = [producer, `${seq}`, `${accepted}`, `${firstAtMs}`];
  const values = [
    ...head,
    ...(isPlain ? encodePlainClicks(clicks, firstAtMs) : encodeDetailedClicks(clicks, firstAtMs)),
  ];
  return names.flatMap((name, i) => [name, values[i]!]);
}

/** Decodes a batch of this release or an earlier one; undefined for anything else. */
export function decodeBatch(fields: string[]): Batch | undefined {
  const isPlain = hasNames(fields, [...headFields, ...plainFields]);
  if (!isPlain && !hasNames(fields, [...headFields, ...detailedFields])) return undefined;
  const [producer, seqText, acceptedText, firstAtText, ...clickTexts] = fields.filter((_, i) => i % 2 === 1);
  if (!uuid.test(producer!)) return undefined;
  const seq = Number(seqText);
  const accepted = Number(acceptedText);
  const clicks = (isPlain ? decodePlainClicks : decodeDetailedClicks)(clickTexts, Number(firstAtText));
  const isValid =
    isCount(seq) &&
    isCount(accepted) &&
    clicks?.every((click) => isCount(click.urlId) && isCount(click.count) && isTime(click.lastAtMs));
  return isValid ? { producer: producer!, seq, accepted, clicks: clicks! } : undefined;
}

/** One `urlId,count,ms after the first time` per click. */
function encodePlainClicks(clicks: ClickCount[], firstAtMs: number): string[] {
  return [clicks.map(({ urlId, count, lastAtMs }) => `${urlId},${count},${lastAtMs - firstAtMs}`).join(';')];
}

function decodePlainClicks([text]: string[], firstAtMs: number): ClickCount[] {
  return text!.split(';').map((entry) => {
    const [urlId = NaN, count = NaN, afterMs = NaN, ...rest] = entry.split(',').map(Number);
    return { urlId, count, lastAtMs: rest.length > 0 ? NaN : firstAtMs + afterMs };
  });
}

const hasNames = (fields: string[], names: string[]) =>
  fields.length === 2 * names.length && names.every((name, i) => fields[2 * i] === name);
const isCount = (value: number) => Number.isSafeInteger(value) && value > 0;
/** Within the range of Date. */
const isTime = (value: number) => Number.isInteger(value) && value >= 0 && value <= 8.64e15;
