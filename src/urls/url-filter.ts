/** Which short URLs are meant: those of which everything holds that it says. Deleted ones never are. */
export interface UrlFilter {
  /** The id of the API key whose short URLs alone are there for whoever asks; null or nothing for anybody's. */
  owner?: number | null;
  /** Text of 3 characters or more that stands in the short code, the title or the original URL, upper and lower case alike; or a
   *  whole tag. */
  search?: string;
  /** It has all of them. */
  tags?: string[];
  isActive?: boolean;
  isExpired?: boolean;
  /** The id of the API key that it was created with. */
  createdBy?: number;
  createdFrom?: Date;
  /** This moment not included. */
  createdBefore?: Date;
  /** Host name of the original URL as the URL parser spells it, without a port. */
  host?: string;
}

interface Condition {
  sql: string;
  bindings?: Record<string, unknown>;
}

/** What each property means. An index serves an expression only where it is spelt as there: see the migration that makes them. */
const conditions: {
  [Property in keyof UrlFilter]-?: (value: NonNullable<UrlFilter[Property]>, now: Date) => Condition;
} = {
  owner: (ownerId) => ({ sql: 'u.created_by = :ownerId', bindings: { ownerId } }),
  search: (text) => ({
    sql: `(searched_text(u.short_code, u.title, u.original_url) ilike :searchPattern
           or u.tags @> array[cast(:searchTag as text)] and u.tags <> '{}')`,
    bindings: { searchPattern: `%${escapePattern(text)}%`, searchTag: text },
  }),
  tags: (tags) => ({
    sql: `u.tags @> cast(:tags as text[]) and (u.tags <> '{}' or cardinality(cast(:tags as text[])) = 0)`,
    bindings: { tags },
  }),
  isActive: (isActive) => ({ sql: isActive ? 'u.is_active' : 'not u.is_active' }),
  isExpired: (isExpired, now) => ({
    sql: isExpired ? 'u.expires_at <= :now' : '(u.expires_at is null or u.expires_at > :now)',
    bindings: { now },
  }),
  createdBy: (createdBy) => ({ sql: 'u.created_by = :createdBy', bindings: { createdBy } }),
  createdFrom: (createdFrom) => ({ sql: 'u.created_at >= :createdFrom', bindings: { createdFrom } }),
  createdBefore: (createdBefore) => ({ sql: 'u.created_at < :createdBefore', bindings: { createdBefore } }),
  host: (host) => ({ sql: 'host_of(u.original_url) = :host', bindings: { host } }),
};

/** What is true of the rows of `urls u` that a filter means at `now`, with its named bindings. */
export function conditionsOf(
  filter: UrlFilter,
  now: Date,
): { sql: string; bindings: Record<string, unknown> } {
  const given = Object.entries(conditions).flatMap(([property, toCondition]) => {
    const value = filter[property as keyof UrlFilter];
    return value == null ? [] : [(toCondition as (value: unknown, now: Date) => Condition)(value, now)];
  });
  return {
    sql: ['u.deleted_at is null', ...given.map((condition) => condition.sql)].join(' and '),
    bindings: Object.assign({}, ...given.map((condition) => condition.bindings)),
  };
}

/** The text as a pattern that means nothing but itself. */
const escapePattern = (text: string) => text.replaceAll(/[\\%_]/g, String.raw`\$&`);
