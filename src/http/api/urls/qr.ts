import { z } from 'zod';
import type { QrImages } from '../../../qr/qr-images.ts';
import { shortUrlOf } from '../../../urls/short-url.ts';
import type { Urls } from '../../../urls/urls.ts';
import { wholeNumberText } from '../../../validation/integer.ts';
import { entityTagOfText, matchesEntityTag } from '../../etags.ts';
import { shortCodeParams } from '../../routes/schemas.ts';
import type { Handlers, Operations } from '../operation.ts';

const colour = z
  .string('must be a string')
  .regex(
    /^#?([\da-f]{3}|[\da-f]{6}|[\da-f]{8})$/i,
    'must be a colour such as #000, #1a2b3c or #1a2b3c80, with or without "#"',
  )
  .transform(toFullColour);

const formats = { svg: 'image/svg+xml', png: 'image/png' } as const;

/** Pixels per side of a PNG that count as one request: its cost grows with the size. */
const pixelsPerRequest = 256;

/** QR codes of short URLs. */
export const qrOperations = {
  getQr: {
    method: 'get',
    path: '/api/v1/urls/{short_code}/qr',
    tag: 'Short URLs',
    summary: 'Get the QR code of a short URL',
    scope: 'urls:read',
    params: shortCodeParams,
    query: z.strictObject({
      format: z.enum(['svg', 'png'], 'must be svg or png').default('svg').describe('Format of the image'),
      size: wholeNumberText(64, 2_048).default(256).describe('Pixels per side, including the margin'),
      margin: wholeNumberText(0, 20).default(4).describe('Margin in modules; scanners need 4'),
      level: z
        .enum(['L', 'M', 'Q', 'H'], 'must be L, M, Q or H')
        .default('M')
        .describe('Error correction: 7, 15, 25 or 30 % of the code can be damaged'),
      dark: colour.default('#000000ff').describe('Colour of the modules: #rgb, #rrggbb or #rrggbbaa'),
      light: colour
        .default('#ffffffff')
        .describe('Colour of the background; needs a high contrast to `dark`'),
    }),
    description: 'A PNG counts as one request per 256 pixels of its side in the rate limit.',
    weightOf: ({ query: { format, size } }: { query: { format: string; size: number } }) =>
      format === 'png' ? Math.ceil(size / pixelsPerRequest) : 1,
    headers: { 'If-None-Match': 'Answers 304 if the image still has this `ETag`' },
    replies: {
      200: {
        description: 'An image that encodes `short_url`.',
        headers: { ETag: 'Version of the image' },
        content: Object.values(formats),
      },
      304: { description: 'The image has not changed.' },
    },
    problems: ['not-found', 'expired'],
  },
} as const satisfies Operations;

/** As `#rrggbbaa`. */
function toFullColour(text: string): string {
  const digits = text.replace('#', '').toLowerCase();
  const full = digits.length === 3 ? digits.replaceAll(/./g, '$&$&') : digits;
  // qrcode rounds an opacity of 254/255 to 1, and then writes 0.
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
    // Derived from the input alone: identical in every web process.
    const tag = entityTagOfText(JSON.stringify([format, shortUrl, style]));
    const headers = { ETag: tag, 'Cache-Control': 'private, max-age=3600' };
    if (matchesEntityTag(ctx.req.headers['if-none-match'], tag)) return { status: 304, headers };
    const body = await qrImages[format](shortUrl, style);
    return { status: 200, headers, body, type: formats[format] };
  },
});
