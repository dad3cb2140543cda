/** The thread that paints QR codes, one for each message. */
import { parentPort } from 'node:worker_threads';
import { toString } from 'qrcode';
import { paintPng } from './qr-png.ts';
import { type QrStyle, QrTooSmall } from './qr-style.ts';

export interface QrOrder {
  format: 'svg' | 'png';
  text: string;
  style: QrStyle;
}

export type Painted = { picture: Uint8Array } | { leastSize: number };

parentPort?.on('message', (order: QrOrder) => {
  // What fails ends the thread, and is the error of the picture in progress.
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- threads have no origin
  void paint(order).then((painted) => parentPort?.postMessage(painted));
});

async function paint({ format, text, style }: QrOrder): Promise<Painted> {
  try {
    return { picture: format === 'png' ? paintPng(text, style) : Buffer.from(await paintSvg(text, style)) };
  } catch (error) {
    if (error instanceof QrTooSmall) return { leastSize: error.leastSize };
    throw error;
  }
}

const paintSvg = async (text: string, { level, size, margin, dark, light }: QrStyle) =>
  await toString(text, {
    type: 'svg',
    errorCorrectionLevel: level,
    width: size,
    margin,
    color: { dark, light },
  });
