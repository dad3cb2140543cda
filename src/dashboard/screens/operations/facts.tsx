import type { ComponentChildren } from 'preact';
import { operationsTexts as texts } from '../../texts/en/operations.ts';
import { formatBytes, formatDuration, formatNumber, formatPercent } from '../../ui/format.ts';
import { runJob } from './run-job.ts';
import type { Operations } from './state.ts';

/** A click is in PostgreSQL within this time. */
const promiseMs = 2_000;

/** One sentence about counting, with the promise beside it. */
export function Counting(clicks: Operations['clicks']) {
  const isLate = clicks.oldest_ms > promiseMs;
  const isLost = clicks.dropped > 0;
  const kind = isLost ? 'lost' : isLate ? 'late' : 'good';
  return (
    <section class={`counting is-${kind}`} aria-label={texts.counting[kind]}>
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
        {clicks.unconfirmed_batches !== undefined && (
          <Fact name={texts.counting.unconfirmed}>{formatNumber(clicks.unconfirmed_batches)}</Fact>
        )}
        <Fact name={texts.counting.dropped}>{formatNumber(clicks.dropped)}</Fact>
      </dl>
    </section>
  );
}

const Fact = ({ name, children }: { name: string; children: ComponentChildren }) => (
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

export const Stores = ({ stores: { postgres, redis } }: Pick<Operations, 'stores'>) => (
  <Panel title={texts.stores}>
    <dl class="lines">
      <StoreLine name="PostgreSQL" store={postgres} />
      <StoreLine name="Redis" store={redis} />
      {redis.used_bytes != null && (
        <Line name={redis.policy ?? ''} isBad={redis.policy !== 'noeviction'}>
          {texts.memory(formatBytes(redis.used_bytes), redis.max_bytes ? formatBytes(redis.max_bytes) : '∞')}
        </Line>
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
  const { size, target, low_watermark: low, empty_in_s: emptyIn } = pool;
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
      {emptyIn != null && <p class="quiet">{texts.emptyIn(formatDuration(emptyIn * 1_000))}</p>}
      {canRun && (
        <button type="button" class="small" onClick={() => void runJob('replenish-keys')}>
          {texts.replenish}
        </button>
      )}
    </Panel>
  );
}

export function Works({ works }: { works: NonNullable<Operations['works']> }) {
  const names = ['redirects', 'api', 'jobs', 'clicks'] as const;
  const isGood = { redirects: 'all', api: 'all', jobs: true, clicks: 'redis' };
  return (
    <Panel title={texts.works.title}>
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

export const Load = ({ load, rates, processes }: Pick<Operations, 'load' | 'rates' | 'processes'>) => (
  <Panel title={texts.load}>
    <dl class="lines">
      {rates && (
        <>
          <Line name={texts.rates.redirects}>{formatNumber(rates.redirects_per_s ?? 0)}</Line>
          <Line name={texts.rates.p99}>
            {rates.redirect_p99_ms === null ? '–' : `${rates.redirect_p99_ms} ms`}
          </Line>
          <Line name={texts.rates.api}>{formatNumber(rates.api_per_s ?? 0)}</Line>
          <Line name={texts.rates.errors} isBad={(rates.errors_5xx_per_s ?? 0) > 0}>
            {formatNumber(rates.errors_5xx_per_s ?? 0)}
          </Line>
        </>
      )}
      {processes && (
        <Line name={texts.processes} isBad={processes.workers === 0}>
          {processes.web ?? '?'} {texts.web}, {processes.workers ?? '?'} {texts.workers}
          {processes.last_worker_seen_ms != null &&
            `, ${texts.lastSeen(formatDuration(processes.last_worker_seen_ms))}`}
        </Line>
      )}
      {load && (
        <>
          <Line name={texts.loop}>{load.event_loop_delay_ms} ms</Line>
          <Line name={texts.shed} isBad={load.rejected_share.api > 0 || load.rejected_share.redirects > 0}>
            {texts.apiShed} {formatPercent(load.rejected_share.api)}, {texts.redirectsShed}{' '}
            {formatPercent(load.rejected_share.redirects)}
          </Line>
        </>
      )}
    </dl>
  </Panel>
);
