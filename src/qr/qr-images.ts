import { LRUCache } from 'lru-cache';
import { createConcurrencyLimit } from '../resilience/concurrency-limit.ts';
import type { QrRequest } from './qr-painter.ts';
import type { QrStyle } from './qr-style.ts';
import { createQrThread } from './qr-thread.ts';

const cacheBytes = 8_000_000;
/** Images that wait for the thread: half a second of work, at about 10 ms for the largest. */
const maxWaiting = 50;

export type QrImages = ReturnType<typeof createQrImages>;

/** QR code images: cached, and rendered one at a time in a thread, with bounded memory. */
export function createQrImages() {
  const thread = createQrThread();
  const limit = createConcurrencyLimit({ concurrency: 1, queueSize: maxWaiting });
  const images = new LRUCache<string, Buffer, QrRequest>({
    maxSize: cacheBytes,
    sizeCalculation: (image) => image.byteLength,
    fetchMethod: async (_key, _stale, { context }) => await limit(() => thread.render(context)),
  });

  /** Throws QrTooSmall, or Overloaded when too many wait. */
  async function find(request: QrRequest): Promise<Buffer> {
    return (await images.fetch(JSON.stringify(request), { context: request }))!;
  }

  return {
    /** An SVG document. Throws Overloaded when too many wait. */
    svg: async (text: string, style: QrStyle) => await find({ format: 'svg', text, style }),

    /** A PNG. Throws QrTooSmall, or Overloaded when too many wait. */
    png: async (text: string, style: QrStyle) => await find({ format: 'png', text, style }),

    close: thread.close,
  };
}
