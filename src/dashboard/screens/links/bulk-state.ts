import { call } from '../../api/client.ts';
import { asProblem, type Problem } from '../../api/problem.ts';
import type { ShortUrl } from '../../api/types.ts';
import { announce, say, sayProblem } from '../../state/messages.ts';
import { maxBulkItems } from '../../state/service.ts';
import { common } from '../../texts/en/common.ts';
import { linksTexts as texts } from '../../texts/en/links.ts';
import { reasonOf } from './create/create-state.ts';
import { clearSelection, listChanges, selectedCodes, selection } from './list-state.ts';

/** Restores that run at a time. */
const concurrency = 5;

interface Outcome {
  done: string[];
  failed: { code: string; why: string }[];
}

type Targets = { short_codes: string[] } | { filter: Record<string, unknown>; cursor?: string | undefined };

interface Page {
  results: { short_code: string; status: number }[];
  next_cursor: string | null;
}

/** Sends a bulk request for the selection, in as many parts as it needs. A problem ends it, and what is done is kept. */
async function forSelection(send: (targets: Targets) => Promise<Page>): Promise<Outcome> {
  const outcome: Outcome = { done: [], failed: [] };
  const add = ({ results }: Page) => {
    for (const result of results) {
      if (result.status < 400) outcome.done.push(result.short_code);
      else outcome.failed.push({ code: result.short_code, why: reasonOf(result) });
    }
    announce(texts.changed(outcome.done.length));
  };
  const chosen = selection.value;
  try {
    if ('filter' in chosen) {
      let cursor: string | null | undefined;
      do {
        const page = await send({ filter: chosen.filter, cursor: cursor ?? undefined });
        add(page);
        cursor = page.next_cursor;
      } while (cursor !== null);
      // After a change others may match: those that are changed stay selected.
      selection.value = new Set(outcome.done);
    } else {
      const codes = [...chosen];
      for (let start = 0; start < codes.length; start += maxBulkItems())
        add(await send({ short_codes: codes.slice(start, start + maxBulkItems()) }));
    }
  } catch (error) {
    sayProblem(error);
  }
  return outcome;
}

const sayFailed = ({ failed }: Outcome) => {
  if (failed.length > 0) say(texts.someFailed(failed.length, failed[0]!.why), { isProblem: true });
};

/** Changes the selected short URLs. */
export async function changeSelected(changes: Record<string, unknown>): Promise<void> {
  const outcome = await forSelection(
    async (targets) =>
      (await call('post', '/api/v1/urls/bulk/change', { body: { ...targets, changes } })).body,
  );
  say(texts.changed(outcome.done.length));
  sayFailed(outcome);
  listChanges.value += 1;
}

/** Deletes the selected short URLs, and offers to restore them. */
export async function deleteSelected(): Promise<void> {
  const outcome = await forSelection(
    async (targets) => (await call('post', '/api/v1/urls/bulk/delete', { body: targets })).body,
  );
  clearSelection();
  sayDeleted(outcome.done);
  sayFailed(outcome);
  listChanges.value += 1;
}

/** Deletes one short URL, and offers to restore it. */
export async function deleteOne(url: ShortUrl): Promise<boolean> {
  try {
    await call('delete', '/api/v1/urls/{short_code}', { params: { short_code: url.short_code } });
  } catch (error) {
    sayProblem(error);
    return false;
  }
  if (selectedCodes.value?.has(url.short_code)) clearSelection();
  sayDeleted([url.short_code]);
  listChanges.value += 1;
  return true;
}

const sayDeleted = (codes: string[]) =>
  say(texts.deleted(codes.length), {
    action: codes.length > 0 ? { label: texts.undo, run: () => void restore(codes) } : undefined,
  });

/** Restores deleted short URLs, as fast as the rate limit lets it. */
export async function restore(codes: readonly string[]): Promise<void> {
  const waiting = [...codes];
  const failed = new Map<string, Problem>();
  let isLimited = false;
  const work = async () => {
    for (let code = waiting.pop(); code !== undefined; code = waiting.pop()) {
      try {
        await call('post', '/api/v1/urls/{short_code}/restore', { params: { short_code: code } });
      } catch (error) {
        const problem = asProblem(error);
        if (problem.status !== 429) failed.set(code, problem);
        else {
          waiting.push(code);
          if (!isLimited) say(texts.limited);
          isLimited = true;
          const seconds = problem.retryAfterSeconds ?? 1;
          await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
        }
      }
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  if (failed.size < codes.length) say(texts.restored(codes.length - failed.size));
  const [problem] = failed.values();
  if (problem)
    say(texts.someFailed(failed.size, problem.message), {
      isProblem: true,
      action: problem.isTemporary
        ? { label: common.retry, run: () => void restore([...failed.keys()]) }
        : undefined,
    });
  listChanges.value += 1;
}
