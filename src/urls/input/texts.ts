import { z } from 'zod';
import { storedText } from '../../validation/text.ts';

/** Maximum lengths in characters, and the maximum number of tags. */
export const textLimits = { title: 200, notes: 2_000, tag: 50, tags: 20 } as const;

const trimmedText = (max: number) => storedText({ max, clean: (text) => text.trim() });

export const title = trimmedText(textLimits.title);

export const notes = storedText({
  max: textLimits.notes,
  lines: true,
  clean: (text) => text.replaceAll('\r\n', '\n'),
});

export const tag = trimmedText(textLimits.tag);

export const tooManyTags = `must contain at most ${textLimits.tags} tags`;

/** Duplicate tags are removed. */
export const tags = z
  .array(tag, 'must be an array of strings')
  .max(textLimits.tags, tooManyTags)
  .transform((values) => [...new Set(values)]);
