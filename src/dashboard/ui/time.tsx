import { formatDateTime, formatRelative } from './format.ts';

/** A time relative to now; the whole of it is its tooltip. */
export const Time = ({ at }: { at: string }) => (
  <time dateTime={at} onPointerEnter={({ currentTarget }) => (currentTarget.title = formatDateTime(at))}>
    {formatRelative(at)}
  </time>
);
