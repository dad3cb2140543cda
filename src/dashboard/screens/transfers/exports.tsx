import { useState } from 'preact/hooks';
import { addressOf, call, get } from '../../api/client.ts';
import { useQuery } from '../../api/use-query.ts';
import { sayProblem } from '../../state/messages.ts';
import { may } from '../../state/session.ts';
import { transfersTexts as texts } from '../../texts/en/transfers.ts';
import { Choice } from '../../ui/field.tsx';
import { formatBytes, formatNumber } from '../../ui/format.ts';
import { Icon } from '../../ui/icons.tsx';
import { Time } from '../../ui/time.tsx';
import { Progress } from './progress.tsx';
import { isFinished } from './rate.ts';

const busyMs = 1_000;
const idleMs = 15_000;

/** Files of all links or click events. */
export function Exports() {
  const [kind, setKind] = useState<'urls' | 'clicks'>('urls');
  const [format, setFormat] = useState<'csv' | 'ndjson'>('csv');
  const [isBusy, setBusy] = useState(false);
  const { data, reload } = useQuery(
    'exports',
    async (signal) => {
      const { items } = await get('/api/v1/exports', { query: { limit: 20 }, signal });
      setBusy(items.some((one) => !isFinished(one)));
      return items;
    },
    isBusy ? busyMs : idleMs,
  );
  const run = async (request: () => Promise<unknown>) => {
    try {
      await request();
    } catch (error) {
      sayProblem(error);
    }
    reload();
  };
  return (
    <section class="panel" aria-label={texts.exports}>
      <h2>{texts.exports}</h2>
      <div class="transfer-line">
        <Choice
          label={texts.kind}
          value={kind}
          options={Object.entries(texts.kinds).filter(([name]) => name === 'urls' || may('stats:read'))}
          onChange={(value) => setKind(value as typeof kind)}
        />
        <Choice
          label={texts.format}
          value={format}
          options={Object.entries(texts.formats)}
          onChange={(value) => setFormat(value as typeof format)}
        />
        <button
          type="button"
          class="small primary"
          onClick={() =>
            void run(async () => await call('post', '/api/v1/exports', { body: { kind, format } }))
          }
        >
          {texts.create}
        </button>
      </div>
      {data?.length === 0 && <p class="quiet">{texts.noExports}</p>}
      <ul class="transfers">
        {data?.map((one) => (
          <li key={one.id}>
            <div class="transfer-line">
              <strong>#{one.id}</strong>
              <span>
                {texts.kinds[one.kind]}, {texts.formats[one.format]}
              </span>
              <span
                class={`badge is-${one.state === 'failed' ? 'bad' : one.state === 'completed' ? 'good' : 'warn'}`}
              >
                {texts.state[one.state]}
              </span>
              <span class="quiet">
                {texts.rows(formatNumber(one.rows))}, {formatBytes(one.bytes)}, <Time at={one.created_at} />
              </span>
              <span class="grow" />
              {one.state === 'completed' && (
                <a class="button small" href={addressOf(`/api/v1/exports/${one.id}/file`)} download>
                  <Icon name="download" />
                  {texts.download}
                </a>
              )}
              <button
                type="button"
                class="small danger"
                onClick={() =>
                  void run(
                    async () => await call('delete', '/api/v1/exports/{id}', { params: { id: one.id } }),
                  )
                }
              >
                {isFinished(one) ? texts.remove : texts.cancel}
              </button>
            </div>
            {!isFinished(one) && <Progress percent={one.progress} label={`#${one.id}`} />}
            {one.error && <p class="is-error">{one.error}</p>}
          </li>
        ))}
      </ul>
    </section>
  );
}
