import type { ComponentChildren } from 'preact';
import { Sparkline } from '../../charts/sparkline.tsx';
import { runJob } from '../../state/run-job.ts';
import { operationsTexts as texts } from '../../texts/en/operations.ts';
import { formatBytes, formatDuration, formatNumber, formatPercent } from '../../ui/format.ts';
import type { Operations } from './state.ts';

/** A click is in PostgreSQL within this time. */
const promiseMs = 2_000;

/** One sentence about counting, with the promise beside it. */
export function Counting({
  clicks,
  stores,
  children,
}: Pick<Operations, 'clicks' | 'stores'> & { children?: ComponentChildren }) {
  const isLate = clicks.oldest_ms > promiseMs;
  const isLost = clicks.dropped > 0;
  const isWaiting = stores.postgres.status === 'down';
  // What goes on before what is over: a click that was dropped long ago hides nothing.
  const kind = isWaiting ? 'waits' : isLate ? 'late' : isLost ? 'lost' : 'good';
  return (
    <section class={`counting is-${kind === 'good' ? kind : 'late'}`} aria-label={texts.counting[kind]}>
      <div>
        <h2>
          <span class={`dot is-${kind === 'good' ? 'good' : 'bad'}`} />
          {texts.counting[kind]}
        </h2>
        <p class="quiet">{texts.counting.detail}</p>
      </div>
      <dl>
        <Fact name={texts.counting.oldest}>{formatDuration(clicks.oldest_ms)}</Fact>
        <Fact name={texts.counting.waiting}>{clicks.waiting_batches ?? '?'}</Fact>
        <Fact name={texts.counting.unconfirmed}>{formatNumber(clicks.unconfirmed_batches)}</Fact>
        <Fact name={texts.counting.dropped}>{formatNumber(clicks.dropped)}</Fact>
        {children}
      </dl>
    </section>
  );
}

export const Fact = ({ name, children }: { name: string; children: ComponentChildren }) => (
  <div class="fact">
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
);

const Panel = ({ title, children }: { title: string; children: ComponentChildren }) => (
  <section class="panel">
    <h2>{title}</h2>
    {children}
  </section>
);

/** Says whose view it is where processes can differ. */
const SeenBy = ({ processes }: Pick<Operations, 'processes'>) =>
  (processes?.web ?? 1) > 1 ? <p class="quiet">{texts.seenBy(processes!.web!)}</p> : null;

const Line = ({
  name,
  isBad = false,
  children,
}: {
  name: string;
  isBad?: boolean;
  children: ComponentChildren;
}) => (
  <div class="line">
    <dt>{name}</dt>
    <dd class={isBad ? 'is-error' : ''}>{children}</dd>
  </div>
);

export const Stores = ({
  stores: { postgres, redis, redis_cache: cache, postgres_replica: replica },
  processes,
}: Pick<Operations, 'stores' | 'processes'>) => (
  <Panel title={texts.stores}>
    <SeenBy processes={processes} />
    <dl class="lines">
      <StoreLine name="PostgreSQL" store={postgres} />
      {replica && <StoreLine name={texts.replica(replica.lag_seconds)} store={replica} />}
      <StoreLine name="Redis" store={redis as Operations['stores']['postgres']} />
      {redis.used_bytes != null && (
        <Line name={redis.policy ?? ''} isBad={redis.policy !== 'noeviction'}>
          {texts.memory(formatBytes(redis.used_bytes), redis.max_bytes ? formatBytes(redis.max_bytes) : '∞')}
        </Line>
      )}
      {cache && <StoreLine name={texts.cache} store={cache} />}
      {processes && (
        <>
          <Line name={texts.web}>{processes.web ?? '?'}</Line>
          <Line name={texts.workers} isBad={processes.workers === 0}>
            {processes.workers ?? '?'}
            {processes.last_worker_seen_ms !== null &&
              `, ${texts.lastSeen(formatDuration(processes.last_worker_seen_ms))}`}
          </Line>
        </>
      )}
    </dl>
  </Panel>
);

function StoreLine({ name, store }: { name: string; store: Operations['stores']['postgres'] }) {
  const { status, latency_ms: latency, breaker } = store;
  return (
    <Line name={name} isBad={status === 'down'}>
      {status === 'up' ? texts.up(`${Math.max(1, Math.round(latency))} ms`) : texts.down}
      {breaker !== 'closed' && ` · ${texts.breaker(breaker)}`}
    </Line>
  );
}

export function KeyPool({ pool, canRun }: { pool: Operations['key_pool']; canRun: boolean }) {
  const { size, target, low_watermark: low, consumption_per_s: rate, empty_in_s: emptyIn } = pool;
  return (
    <Panel title={texts.pool}>
      {size === null ? (
        <p class="is-error">{texts.poolUnknown}</p>
      ) : (
        <p>
          <strong>{texts.poolKeys(formatNumber(size))}</strong>{' '}
          {target != null && <span class="quiet">{texts.poolOf(formatNumber(target))}</span>}
        </p>
      )}
      {size !== null && target != null && (
        <meter aria-label={texts.pool} min={0} max={target} low={low ?? 0} value={Math.min(size, target)} />
      )}
      {low != null && <p class="quiet">{texts.lowWatermark(formatNumber(low))}</p>}
      {rate != null && emptyIn != null && (
        <p>{texts.emptyIn(formatNumber(rate), formatDuration(emptyIn * 1_000))}</p>
      )}
      {canRun && (
        <button type="button" class="small" onClick={() => void runJob('replenish-keys')}>
          {texts.replenish}
        </button>
      )}
    </Panel>
  );
}

export function Works({ works, processes }: Pick<Operations, 'works' | 'processes'>) {
  const names = ['redirects', 'api', 'jobs', 'clicks'] as const;
  const isGood = { redirects: 'all', api: 'all', jobs: true, clicks: 'redis' };
  return (
    <Panel title={texts.works.title}>
      <SeenBy processes={processes} />
      <dl class="lines">
        {names.map((name) => (
          <Line key={name} name={texts.works[name]} isBad={works[name] !== isGood[name]}>
            {texts.works.values[String(works[name])] ?? String(works[name])}
          </Line>
        ))}
      </dl>
    </Panel>
  );
}

const rates = ['redirects_per_s', 'redirect_p99_ms', 'api_per_s', 'errors_5xx_per_s'] as const;

export const Load = ({ load, rates: current, series }: Pick<Operations, 'load' | 'rates' | 'series'>) => (
  <Panel title={texts.load}>
    <dl class="lines">
      {current &&
        rates.map((name) => (
          <Line key={name} name={texts.rates[name]} isBad={name.startsWith('e') && current[name]! > 0}>
            {series && <Sparkline values={series[name]} label={texts.history(texts.rates[name])} />}{' '}
            <span class="rate-now">
              {current[name] === null ? '–' : formatNumber(current[name])}
              {name.endsWith('ms') && current[name] !== null && ' ms'}
            </span>
          </Line>
        ))}
      {(!current || load.event_loop_delay_ms > 20) && (
        <Line name={texts.loop}>{load.event_loop_delay_ms} ms</Line>
      )}
      {load.rejected_share.api > 0 && (
        <Line name={texts.shed} isBad>
          {texts.works.api} {formatPercent(load.rejected_share.api)}, {texts.works.redirects}{' '}
          {formatPercent(load.rejected_share.redirects)}
        </Line>
      )}
    </dl>
  </Panel>
);
