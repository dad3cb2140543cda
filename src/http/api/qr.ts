import { z } from 'zod';
import type { QrImages } from '../../qr/qr-images.ts';
import { shortUrlOf } from '../../urls/short-url.ts';
import type { Urls } from '../../urls/urls.ts';
import { wholeNumberText } from '../../validation/integer.ts';
import { entityTagOfText, isNamedIn } from '../etags.ts';
import type { Handlers, Operations } from './operation.ts';
import { shortCodeParams } from './schemas.ts';

const colour = z
  .string('must be text')
  .regex(
    /^#?([\da-f]{3}|[\da-f]{6}|[\da-f]{8})$/i,
    'must be a colour such as #000, #1a2b3c or #1a2b3c80, with or without "#"',
  )
  .transform(toFullColour);

const formats = { svg: 'image/svg+xml', png: 'image/png' } as const;

/** Pixels of a side that count as one request: the largest picture costs about that many times as much as the default one. */
const pixelsPerRequest = 256;

/** QR codes of short URLs. */
export const qrOperations = {
  getQr: {
    method: 'get',
    path: '/api/v1/urls/{short_code}/qr',
    tag: 'Short URLs',
    summary: 'The QR code of a short URL',
    scope: 'urls:read',
    params: shortCodeParams,
    query: z.strictObject({
      format: z.enum(['svg', 'png'], 'must be svg or png').default('svg'),
      size: wholeNumberText(64, 2_048).default(256).describe('Pixels of a side, margin included'),
      margin: wholeNumberText(0, 20).default(4).describe('Modules around the code; scanners want 4'),
      level: z
        .enum(['L', 'M', 'Q', 'H'], 'must be L, M, Q or H')
        .default('M')
        .describe('How much of it may be unreadable: 7, 15, 25 or 30 %'),
      dark: colour.default('#000000ff').describe('#rgb, #rrggbb or #rrggbbaa'),
      light: colour.default('#ffffffff').describe('As `dark`; scanners want much lighter'),
    }),
    description: 'A PNG counts as one request for each 256 pixels of its side.',
    weightOf: ({ query: { format, size } }: { query: { format: string; size: number } }) =>
      format === 'png' ? Math.ceil(size / pixelsPerRequest) : 1,
    headers: { 'If-None-Match': 'An ETag: 304 while the picture is the same' },
    replies: {
      200: {
        description: 'It says `short_url`.',
        headers: { ETag: 'The same as long as the picture is' },
        content: Object.values(formats),
      },
      304: { description: 'It is the one that `If-None-Match` names.' },
    },
    problems: ['not-found', 'expired'],
  },
} as const satisfies Operations;

/** As `#rrggbbaa`. */
function toFullColour(text: string): string {
  const digits = text.replace('#', '').toLowerCase();
  const full = digits.length === 3 ? digits.replaceAll(/./g, '$&$&') : digits;
  // qrcode rounds an opacity of 254 of 255 to 1, and then writes 0.
  return `#${full.padEnd(8, 'f').replace(/fe$/, 'ff')}`;
}

export const qrHandlers = ({
  urls,
  qrImages,
  baseUrl,
}: {
  urls: Urls;
  qrImages: QrImages;
  baseUrl: string;
}): Handlers<typeof qrOperations> => ({
  getQr: async ({ params, query, owner, ctx }) => {
    const url = await urls.getWithClicks(params.short_code, owner, new Date());
    const shortUrl = shortUrlOf(baseUrl, url.shortCode);
    const { format, ...style } = query;
    // The same for the same picture, on every web process.
    const tag = entityTagOfText(JSON.stringify([format, shortUrl, style]));
    const headers = { ETag: tag, 'Cache-Control': 'private, max-age=3600' };
    if (isNamedIn(ctx.req.headers['if-none-match'], tag)) return { status: 304, headers };
    const body = await qrImages[format](shortUrl, style);
    return { status: 200, headers, body, type: formats[format] };
  },
});
