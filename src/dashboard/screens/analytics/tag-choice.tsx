import { get } from '../../api/client.ts';
import { useQuery } from '../../api/use-query.ts';
import { query, setQuery } from '../../routing/router.ts';
import { chartTexts as texts } from '../../texts/en/charts.ts';
import { Choice } from '../../ui/field.tsx';
import { plain } from '../../ui/format.ts';

const maxTags = 100;

/** The tag of a screen, which the address holds. Nothing while there are no tags. */
export function TagChoice() {
  const { data } = useQuery(
    'tags',
    async (signal) => await get('/api/v1/tags', { query: { limit: maxTags }, signal }),
  );
  if (data === undefined || data.items.length === 0) return null;
  return (
    <Choice
      label={texts.tag}
      value={query.value.get('tag') ?? ''}
      options={[['', texts.allTags], ...data.items.map(({ name }) => [name, plain(name)] as const)]}
      onChange={(name) => setQuery({ tag: name })}
    />
  );
}
