import { useEffect, useRef, useState } from 'preact/hooks';
import { get } from '../../api/client.ts';
import { useQuery } from '../../api/use-query.ts';
import { query, setQuery } from '../../routing/router.ts';
import { may } from '../../state/session.ts';
import { linksTexts as texts } from '../../texts/en/links.ts';
import { Choice } from '../../ui/field.tsx';
import { plain } from '../../ui/format.ts';
import { Icon } from '../../ui/icons.tsx';
import { hasFilter, sort, sorts } from './list-state.ts';

/** Pause after which typed text is searched, in milliseconds. */
const typingMs = 250;
const maxChoices = 100;

const entries = (choices: Record<string, string>) => {
  const { '': first = texts.any, ...rest } = choices;
  return [['', first] as const, ...Object.entries(rest)];
};

/** The choices of a filter, with the chosen one even where the list does not have it. */
const named = (names: readonly string[], chosen: string) => [
  ['', texts.any] as const,
  ...[...new Set(chosen === '' ? names : [chosen, ...names])].map((name) => [name, plain(name)] as const),
];

/** Search, filters and sort order. The address holds them. */
export function Filters() {
  // Summaries of a million links take seconds, and the service runs few searches at a time: they begin when someone turns to the filters, one
  // after the other, so that the rows wait for neither.
  const [isUsed, setUsed] = useState(false);
  const use = () => setUsed(true);
  const tags = useQuery(
    isUsed ? 'tags' : undefined,
    async (signal) => await get('/api/v1/tags', { query: { limit: maxChoices }, signal }),
  );
  const hosts = useQuery(
    tags.data !== undefined || tags.problem !== undefined ? 'hosts' : undefined,
    async (signal) => await get('/api/v1/hosts', { query: { limit: maxChoices }, signal }),
  );
  const keys = useQuery(
    may('admin') ? 'keys' : undefined,
    async (signal) => await get('/api/v1/api-keys', { signal }),
  );
  const chosen = (name: string) => query.value.get(name) ?? '';
  const choose = (name: string) => (value: string) => setQuery({ [name]: value });

  return (
    <search class="filters">
      <SearchField />
      <div class="choices" onPointerEnter={use} onFocusIn={use}>
        <Choice
          label={texts.state}
          value={chosen('state')}
          options={entries(texts.states)}
          onChange={choose('state')}
        />
        <Choice
          label={texts.tag}
          value={chosen('tag')}
          options={named(tags.data?.items.map(({ name }) => name) ?? [], chosen('tag'))}
          onChange={choose('tag')}
        />
        <Choice
          label={texts.host}
          value={chosen('host')}
          options={named(hosts.data?.items.map(({ name }) => name) ?? [], chosen('host'))}
          onChange={choose('host')}
        />
        {(keys.data?.items.length ?? 0) > 1 && (
          <Choice
            label={texts.key}
            value={chosen('key')}
            options={[
              ['', texts.any],
              ...keys.data!.items.map(({ id, name }) => [String(id), plain(name)] as const),
            ]}
            onChange={choose('key')}
          />
        )}
        <Choice
          label={texts.createdFilter}
          value={chosen('created')}
          options={entries(texts.createdChoices)}
          onChange={choose('created')}
        />
        <Choice
          label={texts.sort}
          value={sort.value === '-created' ? '' : sort.value}
          options={sorts.map((name) => [name === '-created' ? '' : name, texts.sorts[name]] as const)}
          onChange={choose('sort')}
        />
        {(hasFilter.value || chosen('q') !== '') && (
          <button
            type="button"
            class="small quiet-button"
            onClick={() => setQuery({ q: '', state: '', tag: '', host: '', key: '', created: '' })}
          >
            <Icon name="close" />
            {texts.clear}
          </button>
        )}
      </div>
    </search>
  );
}

function SearchField() {
  const given = query.value.get('q') ?? '';
  const [text, setText] = useState(given);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => setText(given), [given]);
  const isShort = text.length > 0 && text.length < 3;
  return (
    <div class="search">
      <Icon name="search" />
      <input
        id="search-field"
        type="search"
        aria-label={texts.search}
        aria-describedby={isShort ? 'search-hint' : undefined}
        placeholder={texts.searchPlaceholder}
        spellcheck={false}
        autocapitalize="off"
        value={text}
        onInput={({ currentTarget: { value } }) => {
          setText(value);
          clearTimeout(timer.current);
          timer.current = setTimeout(() => setQuery({ q: value.trim() }, true), typingMs);
        }}
        onKeyDown={(event) => {
          if (event.key !== 'Escape') return;
          // The browser would also empty the field.
          event.preventDefault();
          event.currentTarget.blur();
        }}
      />
      {isShort ? <small id="search-hint">{texts.tooShort}</small> : <kbd aria-hidden="true">/</kbd>}
    </div>
  );
}
