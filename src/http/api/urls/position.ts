import { z } from 'zod';

const microseconds = z.union([z.iso.datetime({ precision: 6 }), z.enum(['infinity', '-infinity'])]);

/** The position of a short URL in a sorted list: see UrlCursor. */
export const urlPosition = z.object({
  value: z.union([z.int().min(0), microseconds, z.null()]),
  id: z.int().min(Number.MIN_SAFE_INTEGER),
});
