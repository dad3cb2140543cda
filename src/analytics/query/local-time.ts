/** SQL for the first moment at which local time in `:timezone` shows a given time, of an expression without a time
 *  zone. If local time skips it, this is the moment of the skip. For a repeated time, PostgreSQL itself returns the
 *  second occurrence: where clocks are set back over midnight, days would begin an hour late. */
export const firstMomentOf = (local: string) => `(
  select least(second.at, case when first.at at time zone :timezone = wanted.local then first.at end)
  from (select ${local} as local) as wanted
    cross join lateral (select wanted.local at time zone :timezone as at) as second
    cross join lateral (
      -- By the clocks of three hours before; they are never set twice in that time.
      select second.at - interval '3 hours'
        + (wanted.local - ((second.at - interval '3 hours') at time zone :timezone)) as at
    ) as first
)`;

/** SQL for the local time in `:timezone` of a moment. */
export const localTimeOf = (at: string) => `(${at} at time zone :timezone)`;
