import { type Colour, encodePng } from './png.ts';
import { encodeQr } from './qr-matrix.ts';
import { type QrStyle, QrTooSmall } from './qr-style.ts';

/** Renders the QR code of a text as PNG. Throws QrTooSmall. */
export function renderPng(text: string, { level, size, margin, dark, light }: QrStyle): Buffer {
  const matrix = encodeQr(text, level);
  const modules = matrix.size + 2 * margin;
  if (size < modules) throw new QrTooSmall(modules);
  /** The module of each row or column of pixels; out of range in the margin. */
  const moduleOf = Array.from({ length: size }, (_, pixel) => Math.floor((pixel * modules) / size) - margin);
  const isCode = (module: number) => module >= 0 && module < matrix.size;
  const rows = new Map<number, Buffer>();

  function renderRow(row: number): Buffer {
    const bits = Buffer.alloc(Math.ceil(size / 8));
    for (const [x, column] of moduleOf.entries())
      if (isCode(row) && isCode(column) && matrix.isDark(row, column)) bits[x >> 3]! |= 0x80 >> (x & 7);
    rows.set(row, bits);
    return bits;
  }

  const row = (y: number) => rows.get(moduleOf[y]!) ?? renderRow(moduleOf[y]!);
  return encodePng({ size, row, colours: [toColour(light), toColour(dark)] });
}

function toColour(text: string): Colour {
  const number = Number.parseInt(text.slice(1), 16);
  return [(number >>> 24) & 255, (number >>> 16) & 255, (number >>> 8) & 255, number & 255];
}
