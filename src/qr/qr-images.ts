import { LRUCache } from 'lru-cache';
import { createConcurrencyLimit } from '../resilience/concurrency-limit.ts';
import type { QrOrder } from './qr-painter.ts';
import type { QrStyle } from './qr-style.ts';
import { createQrThread } from './qr-thread.ts';

const cacheBytes = 8_000_000;
/** Pictures that wait for the one thread that paints: at about 10 ms for the greatest, half a second of work. */
const maxWaiting = 50;

export type QrImages = ReturnType<typeof createQrImages>;

/** QR codes as pictures: remembered, and painted one after the other in a thread of their own, with bounded memory. */
export function createQrImages() {
  const thread = createQrThread();
  const limit = createConcurrencyLimit({ concurrency: 1, queueSize: maxWaiting });
  const pictures = new LRUCache<string, Buffer, QrOrder>({
    maxSize: cacheBytes,
    sizeCalculation: (picture) => picture.byteLength,
    fetchMethod: async (_key, _stale, { context }) => await limit(() => thread.paint(context)),
  });

  /** Throws QrTooSmall, or Overloaded when too many wait. */
  async function find(order: QrOrder): Promise<Buffer> {
    return (await pictures.fetch(JSON.stringify(order), { context: order }))!;
  }

  return {
    /** An SVG document. Throws Overloaded when too many wait. */
    svg: async (text: string, style: QrStyle) => await find({ format: 'svg', text, style }),

    /** A PNG. Throws QrTooSmall, or Overloaded when too many wait. */
    png: async (text: string, style: QrStyle) => await find({ format: 'png', text, style }),

    close: thread.close,
  };
}
