/** Returns a read whose answer serves every request until `ms` after it has arrived: `read` runs once at a time. */
export function remember<T>(read: () => Promise<T>, ms: number): () => Promise<T> {
  let last: { answer: Promise<T>; usableUntil: number } | undefined;

  return async () => {
    if (!last || performance.now() > last.usableUntil) last = { answer: read(), usableUntil: Infinity };
    const asked = last;
    try {
      return await asked.answer;
    } finally {
      asked.usableUntil = Math.min(asked.usableUntil, performance.now() + ms);
    }
  };
}
