import { z } from 'zod';
import { storedText } from './stored-text.ts';

const maxTags = 20;

const trimmedText = (max: number) => storedText({ max, clean: (text) => text.trim() });

/** What a short URL may be called. */
export const title = trimmedText(200);

/** What may be noted about it: lines of text. */
export const notes = storedText({
  max: 2_000,
  lines: true,
  clean: (text) => text.replaceAll('\r\n', '\n'),
});

/** The tags that it may have, each once. */
export const tags = z
  .array(trimmedText(50), 'must be a list of texts')
  .max(maxTags, `must hold at most ${maxTags} tags`)
  .transform((given) => [...new Set(given)]);
