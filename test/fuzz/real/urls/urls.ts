import { readShortCode } from '../../../../src/keys/short-code.ts';
import { createDestinationPolicy, UrlRejected } from '../../../../src/urls/input/destination-policy.ts';
import { parseUrl } from '../../../../src/validation/parse-url.ts';
import { hosts, rests } from '../../../support/urls/url-cases.ts';
import { evaluateAll, type Evaluation, type Row } from '../row.ts';
import { readDocumentedUrls } from './documented-urls.ts';

/** URLs as people write them, and short codes as people paste them. */
export async function measureUrls(): Promise<Row[]> {
  return [
    await evaluateAll({ name: 'hosts of the URL Standard', goal: 1, inputs: hosts }, ([written, host]) =>
      compare(written, parseUrl(`https://${written}/`)?.host, host),
    ),
    await evaluateAll({ name: 'paths of the URL Standard', goal: 1, inputs: rests }, ([written, rest]) =>
      compare(written, parseUrl(`https://ex.com${written}`)?.href.slice('https://ex.com'.length), rest),
    ),
    await evaluateAll(
      { name: 'URLs in documents of packages', goal: 0.98, inputs: readDocumentedUrls() },
      evaluateStored,
    ),
    await evaluateAll({ name: 'short codes as pasted', goal: 1, inputs: pastedCodes() }, ([path, code]) =>
      compare(path, readShortCode(path), code),
    ),
  ];
}

const compare = (shown: string, read: string | undefined, wanted: string | undefined): Evaluation => ({
  outcome: read === wanted ? 'right' : 'wrong',
  shown: `${shown} is read as ${read}, not ${wanted}`,
});

const normaliseUrl = createDestinationPolicy({
  ownHosts: ['sho.rt'],
  allowPrivate: true,
  maxLength: 8_192,
  isBlocked: () => false,
});

/** Right if the URL is stored in ASCII, in a form that no parser changes. */
function evaluateStored(text: string): Evaluation {
  try {
    const href = normaliseUrl(text);
    const isSame = new URL(href).href === href && parseUrl(href)?.href === href && /^[!-~]+$/.test(href);
    return { outcome: isSame ? 'right' : 'wrong', shown: `${text} is stored as ${href}` };
  } catch (error) {
    return {
      outcome: error instanceof UrlRejected ? 'refused' : 'wrong',
      shown: `${text}: ${String(error)}`,
    };
  }
}

const codes = ['a', 'aB3xY9z', 'enc_o-ded', '2024.01', 'straße', '日本語', 'über-uns'];
const before = ['', '\u200b', '\ufeff'];
const after = [
  '',
  '.',
  ',',
  ')',
  '].',
  '"',
  '”',
  '’',
  '»',
  '>',
  ';',
  '!',
  '…',
  '。',
  '」',
  '\u200b',
  '\u00a0',
  '\n',
  '.\u200d',
];

/** Each code with characters that are often copied along, as a browser sends them, and with each of its characters
 *  encoded. */
function* pastedCodes(): Generator<[path: string, code: string]> {
  for (const code of codes) {
    for (const begin of before) {
      for (const end of after) {
        const text = begin + code + end;
        yield [encodeURIComponent(text), code];
        yield [
          Array.from(Buffer.from(text), (byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
          code,
        ];
      }
    }
    yield [encodeURIComponent(code.normalize('NFD')), code];
  }
}
