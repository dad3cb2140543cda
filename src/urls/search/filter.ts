import { escapePattern, searchPatternsOf } from '../store/search-text.ts';

/** Which short URLs are meant: those of which everything holds that it says. Deleted ones never are. */
export interface UrlFilter {
  /** The id of the API key whose short URLs alone are there for whoever asks; null or nothing for anybody's. */
  owner?: number | null;
  /** Text of 3 characters or more in the short code, the title, a tag or the original URL, as people spell it or as it is stored, in
   *  upper or lower case. */
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
  search: (text) => {
    const patterns = searchPatternsOf(text);
    const likes = patterns.map((_, i) => `u.search_text like :searchPattern${i}`).join(' or ');
    return {
      // A row that another program wrote lacks its search text for a moment: it is searched as it is stored.
      // Each way has an index of its own.
      sql: `(${likes}
             or u.search_text is null and searched_text(u.short_code, u.title, u.original_url) ilike :storedPattern
             or u.search_text is null and u.tags @> array[cast(:searchTag as text)] and u.tags <> '{}')`,
      bindings: {
        ...Object.fromEntries(patterns.map((pattern, i) => [`searchPattern${i}`, pattern])),
        storedPattern: `%${escapePattern(text)}%`,
        searchTag: text,
      },
    };
  },
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
