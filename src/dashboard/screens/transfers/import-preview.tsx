import { useState } from 'preact/hooks';
import { send } from '../../api/client.ts';
import { asProblem, type Problem } from '../../api/problem.ts';
import type { AnswerOf, OperationAt } from '../../api/types.ts';
import { useQuery } from '../../api/use-query.ts';
import { common } from '../../texts/en/common.ts';
import { transfersTexts as texts } from '../../texts/en/transfers.ts';
import { formatBytes, formatNumber, plain } from '../../ui/format.ts';
import { ProblemNote } from '../../ui/screen.tsx';

/** What an import would do. */
type Preview = Extract<AnswerOf<OperationAt<'post', '/api/v1/imports'>>, { items: unknown }>;

const shownRows = 5;

/** The media type of a file: the service detects other formats than CSV by their content. */
const typeOf = ({ name }: File) => (/\.[ct]sv$/i.test(name) ? 'text/csv' : 'application/octet-stream');

/** What a file will become, before anything is stored. */
export function ImportPreview({ file, onDone }: { file: File; onDone: () => void }) {
  const [isSending, setSending] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const headers = { 'content-type': typeOf(file) };
  const preview = useQuery(file.name, async (signal) => {
    const query = { dry_run: true };
    return (await send<Preview>('post', '/api/v1/imports', { query, body: file, headers, signal })).body;
  });
  const start = async () => {
    setSending(true);
    try {
      await send('post', '/api/v1/imports', { body: file, headers });
      onDone();
    } catch (error) {
      setProblem(asProblem(error));
      setSending(false);
    }
  };
  const refused = preview.problem;
  return (
    <div class="import-preview">
      <div class="transfer-line">
        <strong>{file.name}</strong>
        <span class="quiet">{formatBytes(file.size)}</span>
      </div>
      {preview.data && <PreviewOf preview={preview.data} />}
      {preview.isLoading && <p class="quiet">{texts.reading}</p>}
      {(problem ?? refused) && <ProblemNote problem={problem ?? refused} />}
      <footer class="transfer-line">
        <button type="button" onClick={onDone}>
          {common.cancel}
        </button>
        <button
          type="button"
          class="primary"
          disabled={isSending || preview.isLoading || refused !== undefined}
          onClick={() => void start()}
        >
          {isSending ? texts.starting : texts.start}
        </button>
      </footer>
    </div>
  );
}

function PreviewOf({ preview }: { preview: Preview }) {
  const { format, rows, failed, ignored_columns: ignored, items, problems } = preview;
  const mapped = Object.entries(preview.mapped_columns);
  return (
    <>
      <p>
        {texts.detected}: <strong>{format}</strong>, {texts.rows(formatNumber(rows), preview.is_whole_file)}
        {failed > 0 && <span class="is-error">, {texts.willFail(formatNumber(failed))}</span>}
      </p>
      {mapped.length > 0 && (
        <p class="quiet">
          {texts.mapped}: {mapped.map(([field, column]) => `${plain(column)} → ${field}`).join(', ')}
        </p>
      )}
      {ignored.length > 0 && (
        <p class="quiet">
          {texts.ignored}: {ignored.map(plain).join(', ')}
        </p>
      )}
      {items.length > 0 && (
        <ul class="plain-rows">
          {items.slice(0, shownRows).map((row, i) => (
            <li key={i}>
              <span class="code">{plain(row.short_code ?? '…')}</span>
              <span class="target grow">{plain(row.original_url ?? '')}</span>
              <span class="quiet cut">{plain(row.title ?? '')}</span>
            </li>
          ))}
        </ul>
      )}
      {problems.slice(0, shownRows).map(({ line, field, reason }) => (
        <p key={`${line} ${field}`} class="is-error">
          {line}: {field} {reason}
        </p>
      ))}
    </>
  );
}
