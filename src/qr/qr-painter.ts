/** The thread that renders a QR code for each message. */
import { parentPort } from 'node:worker_threads';
import { toString } from 'qrcode';
import { renderPng } from './qr-png.ts';
import { type QrStyle, QrTooSmall } from './qr-style.ts';

export interface QrRequest {
  format: 'svg' | 'png';
  text: string;
  style: QrStyle;
}

export type QrResult = { image: Uint8Array } | { minSize: number };

parentPort?.on('message', (request: QrRequest) => {
  // A rejection ends the thread, which fails the image in progress.
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- threads have no origin
  void render(request).then((result) => parentPort?.postMessage(result));
});

async function render({ format, text, style }: QrRequest): Promise<QrResult> {
  try {
    return { image: format === 'png' ? renderPng(text, style) : Buffer.from(await renderSvg(text, style)) };
  } catch (error) {
    if (error instanceof QrTooSmall) return { minSize: error.minSize };
    throw error;
  }
}

const renderSvg = async (text: string, { level, size, margin, dark, light }: QrStyle) =>
  await toString(text, {
    type: 'svg',
    errorCorrectionLevel: level,
    width: size,
    margin,
    color: { dark, light },
  });
