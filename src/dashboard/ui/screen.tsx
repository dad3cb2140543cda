import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { asProblem } from '../api/problem.ts';
import { path } from '../routing/router.ts';
import { service } from '../state/service.ts';
import { common } from '../texts/en/common.ts';
import { Icon } from './icons.tsx';

/** The first screen after the page has loaded leaves the focus where the browser puts it. */
let isFirst = true;

/** A screen: its heading receives the focus when the user comes from another screen. */
export function Screen(props: {
  title: string;
  /** Shown instead of the title. */
  heading?: ComponentChildren;
  actions?: ComponentChildren;
  isHeadingHidden?: boolean;
  children: ComponentChildren;
}) {
  const { title, heading = title, actions, isHeadingHidden = false, children } = props;
  const ref = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · ${service.value?.site_name ?? 'Linkmill'}`;
  }, [title]);
  useLayoutEffect(() => {
    if (!isFirst) ref.current?.focus({ preventScroll: true });
    isFirst = false;
  }, [path.value]);
  return (
    <div class="screen">
      <div class={isHeadingHidden ? 'visually-hidden' : 'screen-head'}>
        <h1 ref={ref} tabIndex={-1}>
          {heading}
        </h1>
        {actions}
      </div>
      {children}
    </div>
  );
}

/** What went wrong, why, and what can be done. */
export function ProblemNote({ problem, onRetry }: { problem: unknown; onRetry?: (() => void) | undefined }) {
  const { type, status, message, isTemporary } = asProblem(problem);
  return (
    <div class="note is-problem" role="alert">
      <Icon name="alert" />
      <div>
        <strong>{common.problems[type] ?? common.problemOfStatus(status)}</strong>
        <p>
          {message} {isTemporary && onRetry && common.retriesItself}
        </p>
      </div>
      {onRetry && (
        <button type="button" onClick={onRetry}>
          {common.retry}
        </button>
      )}
    </div>
  );
}

/** Shown where a list is empty. */
export const Empty = ({ title, children }: { title: string; children?: ComponentChildren }) => (
  <div class="empty">
    <strong>{title}</strong>
    {children}
  </div>
);
