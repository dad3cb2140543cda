import { crc32, deflateSync } from 'node:zlib';

/** Red, green, blue and opacity, each from 0 to 255. */
export type Colour = readonly [red: number, green: number, blue: number, alpha: number];

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const bitsPerPixel = 1;
const indexedColours = 3;

/** Encodes a square image of two colours as PNG with one bit per pixel. The encoder of `qrcode` writes 32 bits per pixel. */
export function encodePng(image: {
  /** Pixels per side. */
  size: number;
  /** A row as one bit per pixel, most significant bit first: 0 for the first colour. Equal rows can share a buffer. */
  row: (y: number) => Buffer;
  colours: readonly [Colour, Colour];
}): Buffer {
  const { size, row, colours } = image;
  const rows = Array.from({ length: size }, (_, y) => row(y));
  const unfiltered = Buffer.from([0]);
  const pixels = Buffer.concat(rows.flatMap((bits) => [unfiltered, bits]));
  return Buffer.concat([
    signature,
    chunk('IHDR', header(size)),
    chunk('PLTE', Buffer.from(colours.flatMap((colour) => colour.slice(0, 3)))),
    chunk('tRNS', Buffer.from(colours.map((colour) => colour[3]))),
    chunk('IDAT', deflateSync(pixels)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function header(size: number): Buffer {
  const bytes = Buffer.alloc(13);
  bytes.writeUInt32BE(size, 0);
  bytes.writeUInt32BE(size, 4);
  bytes[8] = bitsPerPixel;
  bytes[9] = indexedColours;
  return bytes;
}

function chunk(type: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type), data]);
  const framed = Buffer.alloc(named.length + 8);
  framed.writeUInt32BE(data.length, 0);
  named.copy(framed, 4);
  framed.writeUInt32BE(crc32(named), named.length + 4);
  return framed;
}
