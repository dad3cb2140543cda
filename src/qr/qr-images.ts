import { bulkhead, isBulkheadRejectedError } from 'cockatiel';
import { LRUCache } from 'lru-cache';
import { toString } from 'qrcode';
import { Overloaded } from '../urls/url.ts';
import { type Colour, encodePng } from './png.ts';
import { encodeQr, type ErrorLevel, type QrMatrix } from './qr-matrix.ts';

const cacheBytes = 8_000_000;
/** Pictures that are compressed at once: fewer than there are threads for it, which hashing passwords needs too. */
const maxAtOnce = 2;
const maxWaiting = 50;

/** How a QR code looks. */
export interface QrStyle {
  level: ErrorLevel;
  /** Pixels of a side, margin included. */
  size: number;
  /** Modules around the code. */
  margin: number;
  /** As `#rrggbbaa`. */
  dark: string;
  light: string;
}

/** A picture of pixels has fewer of them than the code has modules. */
export class QrTooSmall extends Error {
  override readonly name = 'QrTooSmall';
  readonly leastSize: number;

  constructor(leastSize: number) {
    super(`the code and its margin are ${leastSize} modules wide`);
    this.leastSize = leastSize;
  }
}

export type QrImages = ReturnType<typeof createQrImages>;

/** QR codes as pictures. Those of pixels are remembered, and made a few at a time, with bounded memory and off the event loop. */
export function createQrImages() {
  const queue = bulkhead(maxAtOnce, maxWaiting);
  const pngs = new LRUCache<string, Buffer, { text: string; style: QrStyle }>({
    maxSize: cacheBytes,
    sizeCalculation: (png) => png.byteLength,
    fetchMethod: async (_key, _stale, { context: { text, style } }) =>
      await queue.execute(() => paint(encodeQr(text, style.level), style)),
  });

  return {
    /** An SVG document. */
    svg: async (text: string, { level, size, margin, dark, light }: QrStyle): Promise<string> =>
      await toString(text, {
        type: 'svg',
        errorCorrectionLevel: level,
        width: size,
        margin,
        color: { dark, light },
      }),

    /** A PNG. Throws QrTooSmall, or Overloaded when too many wait. */
    async png(text: string, style: QrStyle): Promise<Buffer> {
      try {
        return (await pngs.fetch(JSON.stringify([text, style]), { context: { text, style } }))!;
      } catch (error) {
        if (isBulkheadRejectedError(error)) throw new Overloaded('too many pictures are waiting');
        throw error;
      }
    },
  };
}

async function paint(matrix: QrMatrix, { size, margin, dark, light }: QrStyle): Promise<Buffer> {
  const modules = matrix.size + 2 * margin;
  if (size < modules) throw new QrTooSmall(modules);
  /** The module of each row or column of pixels; outside of the code in the margin. */
  const moduleOf = Array.from({ length: size }, (_, pixel) => Math.floor((pixel * modules) / size) - margin);
  const isCode = (module: number) => module >= 0 && module < matrix.size;
  const rows = new Map<number, Buffer>();

  function paintRow(row: number): Buffer {
    const bits = Buffer.alloc(Math.ceil(size / 8));
    for (const [x, column] of moduleOf.entries())
      if (isCode(row) && isCode(column) && matrix.isDark(row, column)) bits[x >> 3]! |= 0x80 >> (x & 7);
    rows.set(row, bits);
    return bits;
  }

  const row = (y: number) => rows.get(moduleOf[y]!) ?? paintRow(moduleOf[y]!);
  return await encodePng({ size, row, colours: [toColour(light), toColour(dark)] });
}

function toColour(text: string): Colour {
  const number = Number.parseInt(text.slice(1), 16);
  return [(number >>> 24) & 255, (number >>> 16) & 255, (number >>> 8) & 255, number & 255];
}
