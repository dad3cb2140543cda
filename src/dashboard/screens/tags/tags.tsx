import { useState } from 'preact/hooks';
import { call, get } from '../../api/client.ts';
import { asProblem } from '../../api/problem.ts';
import type { Summary } from '../../api/types.ts';
import { useQuery } from '../../api/use-query.ts';
import { hrefOf, query, setQuery } from '../../routing/router.ts';
import { say, sayProblem } from '../../state/messages.ts';
import { may } from '../../state/session.ts';
import { common } from '../../texts/en/common.ts';
import { tagsTexts as texts } from '../../texts/en/tags.ts';
import { Confirm, FormDialog } from '../../ui/dialog.tsx';
import { Choice, TextField } from '../../ui/field.tsx';
import { formatNumber, formatTime, plain } from '../../ui/format.ts';
import { Icon } from '../../ui/icons.tsx';
import { ProblemNote, Screen } from '../../ui/screen.tsx';

const pageSize = 200;
const path = '/api/v1/tags/{tag}';
/** The status of an answer when a job does the rest. */
const started = 202;

/** The tags of links and the hosts of their targets. */
export function TagsScreen() {
  const sort = query.value.get('sort') || undefined;
  const list = { sort, limit: pageSize };
  const tags = useQuery(`tags ${sort}`, async (signal) => await get('/api/v1/tags', { query: list, signal }));
  const hosts = useQuery(
    `hosts ${sort}`,
    async (signal) => await get('/api/v1/hosts', { query: list, signal }),
  );
  const [renamed, setRenamed] = useState<string>();
  const [removed, setRemoved] = useState<string>();
  return (
    <Screen
      title={texts.title}
      actions={
        <Choice
          label={texts.sort}
          value={sort ?? ''}
          options={Object.entries(texts.sorts)}
          onChange={(value) => setQuery({ sort: value })}
        />
      }
    >
      {tags.problem && <ProblemNote problem={tags.problem} onRetry={tags.reload} />}
      <div class="panels is-halves">
        <Summaries title={texts.tags} page={tags.data} filter="tag">
          {(tag) =>
            may('urls:write') && (
              <>
                <button
                  type="button"
                  class="icon-button"
                  aria-label={texts.rename(plain(tag))}
                  onClick={() => setRenamed(tag)}
                >
                  <Icon name="edit" />
                </button>
                <button
                  type="button"
                  class="icon-button"
                  aria-label={texts.remove(plain(tag))}
                  onClick={() => setRemoved(tag)}
                >
                  <Icon name="trash" />
                </button>
              </>
            )
          }
        </Summaries>
        <Summaries title={texts.hosts} page={hosts.data} filter="host" />
      </div>
      {renamed !== undefined && (
        <RenameDialog tag={renamed} onClose={() => setRenamed(undefined)} onRenamed={tags.reload} />
      )}
      {removed !== undefined && (
        <Confirm
          title={texts.removeTitle}
          text={texts.removeText(plain(removed))}
          action={texts.removeAction}
          onClose={() => setRemoved(undefined)}
          onConfirm={() =>
            void call('delete', path, { params: { tag: removed } }).then(({ status }) => {
              say(status === started ? texts.started : texts.removed(plain(removed)));
              tags.reload();
            }, sayProblem)
          }
        />
      )}
    </Screen>
  );
}

function Summaries(props: {
  title: string;
  page: { items: Summary[]; as_of: string | null } | undefined;
  filter: 'tag' | 'host';
  children?: (name: string) => preact.ComponentChildren;
}) {
  const { title, page, filter, children } = props;
  const items = page?.items;
  return (
    <section class="panel table-panel" aria-busy={items === undefined}>
      <h2>{title}</h2>
      {page?.as_of && <p class="quiet table-note">{texts.countedAt(formatTime(page.as_of))}</p>}
      {items?.length === 0 && <p class="quiet table-note">{texts.none}</p>}
      {items !== undefined && items.length > 0 && (
        <table>
          <thead>
            <tr>
              <th scope="col">{texts.name}</th>
              <th scope="col" class="number">
                {texts.urls}
              </th>
              <th scope="col" class="number">
                {texts.clicks}
              </th>
              {children && <td />}
            </tr>
          </thead>
          <tbody>
            {items.map(({ name, urls, clicks }) => (
              <tr key={name}>
                <td>
                  <a href={hrefOf(`/?${filter}=${encodeURIComponent(name)}`)}>{plain(name)}</a>
                </td>
                <td class="number">{formatNumber(urls)}</td>
                <td class="number">{formatNumber(clicks)}</td>
                {children && <td class="actions">{children(name)}</td>}
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function RenameDialog(props: { tag: string; onClose: () => void; onRenamed: () => void }) {
  const { tag, onClose, onRenamed } = props;
  const [name, setName] = useState(tag);
  const [error, setError] = useState<string>();
  const rename = async () => {
    try {
      const { status } = await call('patch', path, { params: { tag }, body: { name } });
      onClose();
      say(status === started ? texts.started : texts.renamed(name));
      onRenamed();
    } catch (failure) {
      const problem = asProblem(failure);
      setError(problem.of('name') ?? problem.message);
    }
  };
  return (
    <FormDialog
      title={texts.renameTitle}
      action={common.save}
      onSubmit={() => void rename()}
      onClose={onClose}
    >
      <TextField label={texts.newName} error={error} value={name} onValue={setName} />
    </FormDialog>
  );
}
