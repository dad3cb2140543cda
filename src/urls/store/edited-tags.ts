import { textLimits } from '../input/texts.ts';
import type { Changes } from './columns.ts';

/** Whether changes add or remove tags, which depends on the stored ones. */
export const editsTags = ({ addTags, removeTags }: Changes): boolean =>
  addTags !== undefined || removeTags !== undefined;

/** SQL for the tags of a row of `urls u` without `:removeTags` and with `:addTags`: distinct, in their order. Another program may have
 *  stored nested ones, or null. */
export const editedTags = `array(
  select tag from unnest(array(select unnest(u.tags)) || cast(:addTags as text[])) with ordinality as one (tag, position)
  where tag is not null and tag <> all(cast(:removeTags as text[])) group by tag order by min(position)
)`;

/** SQL that is true if the edited tags are not too many, or not more than before. */
export const hasFewTags = `cardinality(${editedTags}) <= greatest(${textLimits.tags}, cardinality(u.tags))`;

export const tagBindings = ({ addTags = [], removeTags = [] }: Changes) => ({ addTags, removeTags });
