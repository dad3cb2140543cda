/** The first moment at which clocks in `:timezone` show a time, of an expression without a time zone; where they skip it, the moment
 *  of the skip. Of a time that comes twice PostgreSQL itself takes the second one, by which days would begin an hour late where
 *  clocks are set back over midnight. */
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

/** A moment as clocks in `:timezone` show it. */
export const localTimeOf = (at: string) => `(${at} at time zone :timezone)`;
