import { useRef, useState } from 'preact/hooks';
import { addressOf, call, get } from '../../api/client.ts';
import type { Import } from '../../api/types.ts';
import { useQuery } from '../../api/use-query.ts';
import { sayProblem } from '../../state/messages.ts';
import { transfersTexts as texts } from '../../texts/en/transfers.ts';
import { formatBytes, formatDuration, formatNumber } from '../../ui/format.ts';
import { ProblemNote } from '../../ui/screen.tsx';
import { Time } from '../../ui/time.tsx';
import { ImportPreview } from './import-preview.tsx';
import { Progress } from './progress.tsx';
import { isFinished, useRate } from './rate.ts';

const busyMs = 1_000;
const idleMs = 15_000;
const maxShown = 20;

/** A file to import, and the imports so far. */
export function Imports() {
  const [file, setFile] = useState<File>();
  const [isBusy, setBusy] = useState(false);
  const { data, problem, reload } = useQuery(
    'imports',
    async (signal) => {
      const { items } = await get('/api/v1/imports', { query: { limit: maxShown }, signal });
      setBusy(items.some((one) => !isFinished(one)));
      return items;
    },
    isBusy ? busyMs : idleMs,
  );
  return (
    <section class="panel" aria-label={texts.imports}>
      <h2>{texts.imports}</h2>
      {file ? (
        <ImportPreview
          file={file}
          onDone={() => {
            setFile(undefined);
            reload();
          }}
        />
      ) : (
        <DropZone onFile={setFile} />
      )}
      {problem && <ProblemNote problem={problem} onRetry={reload} />}
      {data?.length === 0 && <p class="quiet">{texts.noImports}</p>}
      <ul class="transfers">
        {data?.map((one) => (
          <ImportRow key={one.id} item={one} onChanged={reload} />
        ))}
      </ul>
      {isBusy && <p class="quiet">{texts.leave}</p>}
    </section>
  );
}

function DropZone({ onFile }: { onFile: (file: File) => void }) {
  const input = useRef<HTMLInputElement>(null);
  const [isOver, setOver] = useState(false);
  return (
    <div
      class={isOver ? 'drop is-over' : 'drop'}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        const file = event.dataTransfer?.files[0];
        if (file) onFile(file);
      }}
    >
      <strong>{texts.drop}</strong>
      <p class="quiet">{texts.dropHint}</p>
      <button type="button" onClick={() => input.current?.click()}>
        {texts.choose}
      </button>
      <input
        ref={input}
        type="file"
        hidden
        accept=".csv,.tsv,.txt,.json,.ndjson,.jsonl,.sql"
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          if (file) onFile(file);
        }}
      />
    </div>
  );
}

function ImportRow({ item, onChanged }: { item: Import; onChanged: () => void }) {
  const { id, state, progress, rows, created, skipped, restored, failed, warning_count: warnings } = item;
  const rate = useRate(item);
  const remove = async () => {
    try {
      await call('delete', '/api/v1/imports/{id}', { params: { id } });
    } catch (error) {
      sayProblem(error);
    }
    onChanged();
  };
  return (
    <li>
      <div class="transfer-line">
        <strong>#{id}</strong>
        <span>{item.format}</span>
        <span class={`badge is-${state === 'failed' ? 'bad' : state === 'completed' ? 'good' : 'warn'}`}>
          {texts.state[state]}
        </span>
        <span class="quiet">
          {texts.rows(formatNumber(rows))}, {formatBytes(item.bytes)}, <Time at={item.created_at} />
        </span>
        <span class="grow" />
        <button type="button" class="small danger" onClick={() => void remove()}>
          {isFinished(item) ? texts.remove : texts.cancel}
        </button>
      </div>
      {!isFinished(item) && <Progress percent={progress} label={`#${id}`} />}
      <div class="transfer-line">
        {rows > 0 && <span>{texts.result(formatNumber(created), formatNumber(skipped))}</span>}
        {restored > 0 && <span>{texts.restored(formatNumber(restored))}</span>}
        {rate && (
          <span class="quiet">
            {texts.rate(formatNumber(Math.round(rate.perSecond)))}
            {rate.leftMs !== undefined && `, ${texts.left(formatDuration(rate.leftMs))}`}
          </span>
        )}
        {failed > 0 && (
          <a class="is-error" href={addressOf(`/api/v1/imports/${id}/errors`)} download>
            {texts.failedRows(formatNumber(failed))}
          </a>
        )}
        {warnings > 0 && (
          <a href={addressOf(`/api/v1/imports/${id}/warnings`)} download>
            {texts.warnings(formatNumber(warnings))}
          </a>
        )}
        {item.error && <span class="is-error">{item.error}</span>}
      </div>
    </li>
  );
}
