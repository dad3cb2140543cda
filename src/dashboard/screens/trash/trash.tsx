import { useState } from 'preact/hooks';
import { call, get } from '../../api/client.ts';
import { useQuery } from '../../api/use-query.ts';
import { query } from '../../routing/router.ts';
import { say, sayProblem } from '../../state/messages.ts';
import { apiKey, may } from '../../state/session.ts';
import { trashTexts as texts } from '../../texts/en/trash.ts';
import { Confirm } from '../../ui/dialog.tsx';
import { plain, shortenUrl } from '../../ui/format.ts';
import { Empty, ProblemNote, Screen } from '../../ui/screen.tsx';
import { Time } from '../../ui/time.tsx';
import { restore } from '../links/bulk-state.ts';
import { Pages } from '../links/links.tsx';

/** The row of a button disappears with what it did: the focus goes to the heading. */
const focusHeading = () => document.querySelector<HTMLElement>('main h1')?.focus();

/** Deleted short URLs, until they are purged. */
export function TrashScreen() {
  const cursor = query.value.get('cursor') ?? undefined;
  const { data, problem, reload } = useQuery(
    `trash ${cursor}`,
    async (signal) => await get('/api/v1/urls', { query: { state: 'deleted', cursor }, signal }),
  );
  const [asked, setAsked] = useState<string>();
  const purge = async (code: string) => {
    try {
      await call('delete', '/api/v1/urls/{short_code}', {
        params: { short_code: code },
        query: { purge: true },
      });
      say(texts.purgedNow(plain(code)));
      focusHeading();
    } catch (error) {
      sayProblem(error);
    }
    reload();
  };
  return (
    <Screen title={texts.title}>
      {problem && <ProblemNote problem={problem} onRetry={reload} />}
      {data?.items.length === 0 && cursor === undefined && (
        <Empty title={texts.empty}>
          <p>{texts.hint}</p>
        </Empty>
      )}
      {data && data.items.length > 0 && (
        <>
          <p class="quiet screen-hint">{texts.hint}</p>
          <section class="panel table-panel" tabIndex={0} aria-label={texts.title}>
            <table>
              <thead>
                <tr>
                  <th scope="col">{texts.code}</th>
                  <th scope="col">{texts.target}</th>
                  <th scope="col">{texts.deleted}</th>
                  <th scope="col">{texts.purged}</th>
                  <td />
                </tr>
              </thead>
              <tbody>
                {data.items.map((url) => (
                  <tr key={url.id}>
                    <td class="code">{plain(url.short_code)}</td>
                    <td class="cut">{url.title ? plain(url.title) : shortenUrl(url.original_url)}</td>
                    <td>
                      <Time at={url.deleted_at!} />
                    </td>
                    <td>
                      <Time at={url.purged_at!} />
                    </td>
                    <td class="actions">
                      {may('urls:write') && (
                        <>
                          <button
                            type="button"
                            class="small"
                            aria-label={texts.of(texts.restore, plain(url.short_code))}
                            onClick={() =>
                              void restore([url.short_code]).then(() => {
                                reload();
                                focusHeading();
                              })
                            }
                          >
                            {texts.restore}
                          </button>
                          {(may('admin') || url.created_by === apiKey.value?.id) && (
                            <button
                              type="button"
                              class="small danger"
                              aria-label={texts.of(texts.purge, plain(url.short_code))}
                              onClick={() => setAsked(url.short_code)}
                            >
                              {texts.purge}
                            </button>
                          )}
                        </>
                      )}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </section>
        </>
      )}
      <Pages next={data?.next_cursor ?? null} />
      {asked !== undefined && (
        <Confirm
          title={texts.purgeTitle(plain(asked))}
          text={texts.purgeText}
          action={texts.purge}
          onConfirm={() => void purge(asked)}
          onClose={() => setAsked(undefined)}
        />
      )}
    </Screen>
  );
}
