/** Returns a read whose result is reused until `ms` after it has arrived; `read` runs once at a time. */
export function remember<T>(read: () => Promise<T>, ms: number): () => Promise<T> {
  let last: { result: Promise<T>; usableUntil: number } | undefined;

  return async () => {
    if (!last || performance.now() > last.usableUntil) last = { result: read(), usableUntil: Infinity };
    const current = last;
    try {
      return await current.result;
    } finally {
      current.usableUntil = Math.min(current.usableUntil, performance.now() + ms);
    }
  };
}
