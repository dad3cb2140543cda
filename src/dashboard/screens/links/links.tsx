import { useEffect, useState } from 'preact/hooks';
import { isAvailable } from '../../api/available.ts';
import { useQuery } from '../../api/use-query.ts';
import { useShortcuts } from '../../keyboard/shortcuts.ts';
import { linkPath, navigate, query, setQuery } from '../../routing/router.ts';
import { announce } from '../../state/messages.ts';
import { may } from '../../state/session.ts';
import { common } from '../../texts/en/common.ts';
import { linksTexts as texts } from '../../texts/en/links.ts';
import { copyAndSay } from '../../ui/copy.tsx';
import { Empty, ProblemNote, Screen } from '../../ui/screen.tsx';
import { BulkBar } from './bulk-bar.tsx';
import { deleteOne } from './bulk-state.ts';
import { CreateForm } from './create/create-form.tsx';
import type { Created } from './create/create-state.ts';
import { CreatedNote } from './create/created.tsx';
import { FirstLink } from './empty.tsx';
import { Filters } from './filters.tsx';
import { focusedCode, moveFocus } from './focus.ts';
import {
  clearSelection,
  filter,
  hasFilter,
  listChanges,
  listKey,
  loadCount,
  loadPage,
  loadTrends,
  selection,
  shownQr,
  toggleSelected,
} from './list-state.ts';
import { QrDialog } from './qr-dialog.tsx';
import { Row } from './row.tsx';

/** The home: create, find, and manage short URLs. */
export function LinksScreen() {
  const [created, setCreated] = useState<Created>();
  const canWrite = may('urls:write');
  const page = useQuery(`${listKey.value} ${listChanges.value}`, loadPage);
  const count = useQuery(
    isAvailable('/api/v1/urls/count') ? `${JSON.stringify(filter.value)} ${listChanges.value}` : undefined,
    loadCount,
  );
  const urls = page.data?.items ?? [];
  const codes = urls.map((url) => url.short_code);
  const trends = useQuery(
    codes.length > 0 && may('stats:read') ? codes.join() : undefined,
    async (signal) => await loadTrends(codes, signal),
  );
  const counted = count.data && texts.count(count.data.count, count.data.is_exact);

  useEffect(() => clearSelection, []);
  useEffect(() => {
    if (counted && hasFilter.value) announce(counted);
  }, [counted]);

  const current = () => urls.find((url) => url.short_code === focusedCode());
  useShortcuts({
    c: () => document.querySelector<HTMLElement>('#create-field')?.focus(),
    '/': () => document.querySelector<HTMLElement>('#search-field')?.focus(),
    j: () => moveFocus(1),
    k: () => moveFocus(-1),
    Enter: () => current() && navigate(linkPath(current()!.short_code)),
    e: () => current() && navigate(linkPath(current()!.short_code)),
    y: () => void (current() && copyAndSay(current()!.short_url)),
    q: () => void (shownQr.value = current()),
    x: () => current() && canWrite && toggleSelected(current()!.short_code),
    '#': () => {
      const url = current();
      if (url && canWrite) void deleteOne(url).then(() => moveFocus(0));
    },
    Escape: clearSelection,
  });

  const isWholePage =
    codes.length > 0 &&
    selection.value !== 'matching' &&
    codes.every((code) => (selection.value as Set<string>).has(code));
  const isFirst =
    page.data !== undefined && urls.length === 0 && !hasFilter.value && !query.value.has('cursor');
  return (
    <Screen title={texts.title} isHeadingHidden>
      {canWrite && <CreateForm onCreated={setCreated} />}
      {created && <CreatedNote created={created} onClose={() => setCreated(undefined)} />}
      {page.problem && <ProblemNote problem={page.problem} onRetry={page.reload} />}
      {isFirst ? (
        <FirstLink />
      ) : (
        <>
          <Filters />
          <div class="list-head">
            {canWrite && codes.length > 0 && (
              <label class="row-select">
                <input
                  type="checkbox"
                  aria-label={texts.selectPage}
                  checked={isWholePage || selection.value === 'matching'}
                  onChange={() =>
                    (selection.value = new Set(isWholePage || selection.value === 'matching' ? [] : codes))
                  }
                />
              </label>
            )}
            <span>{counted ?? (page.data ? '' : common.loading)}</span>
          </div>
          {page.data && urls.length === 0 ? (
            <Empty title={texts.noMatch}>
              <p>{texts.noMatchHint}</p>
            </Empty>
          ) : (
            <ul
              class={page.isLoading ? 'rows is-loading' : 'rows'}
              aria-label={texts.title}
              aria-busy={page.isLoading}
            >
              {urls.map((url) => (
                <Row key={url.id} url={url} trend={trends.data?.get(url.short_code)} canWrite={canWrite} />
              ))}
            </ul>
          )}
          <Pages next={page.data?.next_cursor ?? null} />
        </>
      )}
      <BulkBar
        isWholePage={isWholePage}
        matching={count.data && String(count.data.count) + (count.data.is_exact ? '' : '+')}
      />
      {shownQr.value && <QrDialog url={shownQr.value} onClose={() => (shownQr.value = undefined)} />}
    </Screen>
  );
}

/** Next and previous page. The previous one is the previous entry of the history. */
function Pages({ next }: { next: string | null }) {
  const isFirst = !query.value.has('cursor');
  if (isFirst && next === null) return null;
  return (
    <nav class="pages" aria-label={texts.title}>
      <button type="button" disabled={isFirst} onClick={() => history.back()}>
        {common.previousPage}
      </button>
      <button type="button" disabled={next === null} onClick={() => setQuery({ cursor: next ?? undefined })}>
        {common.nextPage}
      </button>
    </nav>
  );
}
