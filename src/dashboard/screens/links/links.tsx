import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { useQuery } from '../../api/use-query.ts';
import { useShortcuts } from '../../keyboard/shortcuts.ts';
import { linkPath, navigate, query, setQuery } from '../../routing/router.ts';
import { announce } from '../../state/messages.ts';
import { may } from '../../state/session.ts';
import { common } from '../../texts/en/common.ts';
import { linksTexts as texts } from '../../texts/en/links.ts';
import { copyAndSay } from '../../ui/copy.tsx';
import { formatNumber, formatTime } from '../../ui/format.ts';
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
  isSelected,
  listChanges,
  listKey,
  loadCount,
  loadPage,
  loadTrends,
  selectedCodes,
  selection,
  shownQr,
  toggleSelected,
} from './list-state.ts';
import { QrDialog } from './qr-dialog.tsx';
import { Row } from './row.tsx';
import { Views } from './views.tsx';

/** The home: create, find, and manage short URLs. */
export function LinksScreen() {
  const [created, setCreated] = useState<Created>();
  const canWrite = may('urls:write');
  const page = useQuery(`${listKey.value} ${listChanges.value}`, loadPage);
  const filterKey = JSON.stringify(filter.value);
  // After the first page or its problem, because the service runs few searches at a time.
  const hasAnswer = page.data !== undefined || page.problem !== undefined;
  const count = useQuery(hasAnswer ? `${filterKey} ${listChanges.value}` : undefined, loadCount);
  // While another filter is counted, the number of the one before would mislead.
  const found = count.isLoading || count.problem ? undefined : count.data;
  const urls = page.data?.items ?? [];
  const codes = urls.map((url) => url.short_code);
  const trends = useQuery(
    codes.length > 0 && may('stats:read') ? codes.join() : undefined,
    async (signal) => await loadTrends(codes, signal),
  );
  const counted = found && texts.count(found.count, found.is_exact);

  useEffect(() => clearSelection, [filterKey]);
  useEffect(() => {
    if (counted && hasFilter.value) announce(counted);
  }, [counted]);

  const latestCodes = useRef(codes);
  latestCodes.current = codes;
  // The same function each time: a row is rendered again only if its properties differ.
  const toggle = useCallback((code: string) => toggleSelected(code, latestCodes.current), []);
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
    x: () => current() && canWrite && toggle(current()!.short_code),
    '#': () => {
      const url = current();
      if (url && canWrite) void deleteOne(url).then(() => moveFocus(0));
    },
    Escape: clearSelection,
  });

  const isWholePage = codes.length > 0 && codes.every(isSelected);
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
          <Views />
          <div class="list-head">
            {canWrite && codes.length > 0 && (
              <label class="row-select">
                <input
                  type="checkbox"
                  aria-label={texts.selectPage}
                  checked={isWholePage}
                  onChange={() => (selection.value = new Set(isWholePage ? [] : codes))}
                />
              </label>
            )}
            <span>
              {counted ?? (count.problem ? '' : common.loading)}
              {page.data?.as_of && ` · ${texts.sortedAt(formatTime(page.data.as_of))}`}
            </span>
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
                <Row
                  key={url.id}
                  {...{ url, canWrite }}
                  trend={trends.data?.get(url.short_code)}
                  onToggle={toggle}
                />
              ))}
            </ul>
          )}
          <Pages next={page.data?.next_cursor ?? null} />
        </>
      )}
      <BulkBar
        matching={
          isWholePage &&
          selectedCodes.value &&
          found &&
          found.count > selectedCodes.value.size && {
            count: `${formatNumber(found.count)}${found.is_exact ? '' : '+'}`,
            filter: { ...filter.value, created_before: found.counted_at },
          }
        }
      />
      {shownQr.value && <QrDialog url={shownQr.value} onClose={() => (shownQr.value = undefined)} />}
    </Screen>
  );
}

/** Next and previous page of a list. The previous one is the previous entry of the history. */
export function Pages({ next }: { next: string | null }) {
  const isFirst = !query.value.has('cursor');
  if (isFirst && next === null) return null;
  return (
    <nav class="pages" aria-label={common.pages}>
      <button type="button" disabled={isFirst} onClick={() => history.back()}>
        {common.previousPage}
      </button>
      <button type="button" disabled={next === null} onClick={() => setQuery({ cursor: next ?? undefined })}>
        {common.nextPage}
      </button>
    </nav>
  );
}
