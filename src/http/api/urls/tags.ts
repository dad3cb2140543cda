import { z } from 'zod';
import { tag as tagName } from '../../../urls/input/texts.ts';
import type { TagChanges } from '../../../urls/tags/tag-changes.ts';
import type { TagChange } from '../../../urls/tags/tag-store.ts';
import { type Handlers, type Operations, weigh } from '../operation.ts';
import { maxItems } from '../settle-each.ts';
import { filterText } from './filter-query.ts';

const tag = 'Search';

const tagParams = z.object({
  tag: filterText.min(1, 'must not be empty').meta({ description: 'The tag', example: 'spring' }),
});

/** A change of many short URLs counts as a bulk request. */
const weightOf = () => weigh(maxItems);

const more =
  `Changes up to ${maxItems} short URLs at once. More are changed by the job \`rename-tag\`: the answer is 202, and reading the job needs ` +
  'the scope `jobs:run`. Deleted short URLs keep their tags. A repeated request changes what is left.';

const replies = {
  200: {
    description: 'The short URLs are changed.',
    body: z.object({ changed: z.int().describe('Number of changed short URLs') }),
  },
  202: {
    description: 'The job, which waits for a worker.',
    headers: { Location: 'URL of the resource' },
    body: z.object({ id: z.string(), name: z.literal('rename-tag'), state: z.literal('waiting') }),
  },
} as const;

/** Changes of one tag on all short URLs that the API key can access. */
export const tagOperations = {
  renameTag: {
    method: 'patch',
    path: '/api/v1/tags/{tag}',
    tag,
    summary: 'Rename a tag',
    description: `Short URLs that already have the new name keep it once. ${more}`,
    scope: 'urls:write',
    weightOf,
    params: tagParams,
    body: z.strictObject({ name: tagName.describe('New name') }, 'must be a JSON object'),
    replies,
    problems: [],
  },
  deleteTag: {
    method: 'delete',
    path: '/api/v1/tags/{tag}',
    tag,
    summary: 'Remove a tag from all short URLs',
    description: more,
    scope: 'urls:write',
    weightOf,
    params: tagParams,
    replies,
    problems: [],
  },
} as const satisfies Operations;

export const tagHandlers = ({ tagChanges }: { tagChanges: TagChanges }): Handlers<typeof tagOperations> => {
  async function change(change: TagChange) {
    const result = await tagChanges.change(change);
    if ('changed' in result) return { status: 200 as const, body: result };
    const { jobId: id } = result;
    return {
      status: 202 as const,
      headers: { Location: `/api/v1/jobs/rename-tag/${id}` },
      body: { id, name: 'rename-tag' as const, state: 'waiting' as const },
    };
  }

  return {
    renameTag: async ({ params, body, owner }) => await change({ tag: params.tag, name: body.name, owner }),
    deleteTag: async ({ params, owner }) => await change({ tag: params.tag, name: null, owner }),
  };
};
