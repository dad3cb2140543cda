import { z } from 'zod';
import { storedText } from '../../validation/text.ts';

/** Most characters of each text, and most tags. */
export const textLimits = { title: 200, notes: 2_000, tag: 50, tags: 20 } as const;

const trimmedText = (max: number) => storedText({ max, clean: (text) => text.trim() });

/** What a short URL may be called. */
export const title = trimmedText(textLimits.title);

/** What may be noted about it: lines of text. */
export const notes = storedText({
  max: textLimits.notes,
  lines: true,
  clean: (text) => text.replaceAll('\r\n', '\n'),
});

/** The tags that it may have, each once. */
export const tags = z
  .array(trimmedText(textLimits.tag), 'must be a list of texts')
  .max(textLimits.tags, `must hold at most ${textLimits.tags} tags`)
  .transform((given) => [...new Set(given)]);
