const separator = '|';

/** Tags in one cell: with bars between them, or as JSON where a tag would be misunderstood otherwise. */
export function writeTags(tags: readonly string[]): string {
  const isPlain = tags.every(
    (tag) => tag !== '' && tag === tag.trim() && !tag.includes(separator) && !tag.startsWith('['),
  );
  return isPlain ? tags.join(separator) : JSON.stringify(tags);
}

/** The tags of a cell that was written so; what is no text stays what it is. */
export function readTags(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  if (value.startsWith('[')) {
    try {
      return JSON.parse(value);
    } catch {
      // It is a tag that begins with a bracket, of a service that writes no JSON.
    }
  }
  return value
    .split(separator)
    .map((tag) => tag.trim())
    .filter(Boolean);
}
