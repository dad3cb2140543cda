const separator = '|';

/** Serializes tags for one cell: separated by bars, or as JSON when a tag would be ambiguous. */
export function writeTags(tags: readonly string[]): string {
  const isPlain = tags.every(
    (tag) => tag !== '' && tag === tag.trim() && !tag.includes(separator) && !tag.startsWith('['),
  );
  return isPlain ? tags.join(separator) : JSON.stringify(tags);
}

/** Parses the tags of a cell; returns other values unchanged. */
export function readTags(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  if (value.startsWith('[')) {
    try {
      return JSON.parse(value);
    } catch {
      // A tag of another service that begins with a bracket.
    }
  }
  return value
    .split(separator)
    .map((tag) => tag.trim())
    .filter(Boolean);
}
