import { escapePattern, searchPatternsOf } from '../search-text/search-text.ts';

/** The conditions of a list of short URLs; all of them must hold. */
export interface UrlFilter {
  /** Whether deleted short URLs match, and no others; false by default. */
  isDeleted?: boolean;
  /** The API key to which the client is restricted; null or undefined for all short URLs. */
  owner?: number | null;
  /** Text of 3 or more characters in the short code, title, a tag or the original URL, decoded or as stored,
   *  case-insensitive. */
  search?: string;
  /** It has all of these tags. */
  tags?: string[];
  isActive?: boolean;
  isExpired?: boolean;
  /** The API key that created it. */
  createdBy?: number;
  createdFrom?: Date;
  /** Exclusive. */
  createdBefore?: Date;
  /** Host name of the original URL in the URL parser's spelling, without a port. */
  host?: string;
}

interface Condition {
  sql: string;
  bindings?: Record<string, unknown>;
}

/** The SQL of each condition. An index is only used if the expression is spelled exactly as in its migration. */
const conditions: {
  [Property in Exclude<keyof UrlFilter, 'isDeleted'>]-?: (
    value: NonNullable<UrlFilter[Property]>,
    now: Date,
  ) => Condition;
} = {
  owner: (ownerId) => ({ sql: 'u.created_by = :ownerId', bindings: { ownerId } }),
  search: (text) => {
    const patterns = searchPatternsOf(text);
    const likes = patterns.map((_, i) => `u.search_text like :searchPattern${i}`).join(' or ');
    return {
      // A row of an external write lacks its search text for a moment, so its columns are searched directly. Each
      // alternative has its own index.
      sql: `(${likes}
             or u.search_text is null and stored_search_text(u.short_code, u.title, u.original_url) ilike :storedPattern
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

/** The SQL condition for rows of `urls u` that match a filter at `now`, with its named bindings. */
export function conditionsOf(
  filter: UrlFilter,
  now: Date,
): { sql: string; bindings: Record<string, unknown> } {
  const { isDeleted = false, ...others } = filter;
  const parts = Object.entries(conditions).flatMap(([property, toCondition]) => {
    const value = others[property as keyof typeof others];
    return value == null ? [] : [(toCondition as (value: unknown, now: Date) => Condition)(value, now)];
  });
  return {
    sql: [`u.deleted_at is ${isDeleted ? 'not ' : ''}null`, ...parts.map((condition) => condition.sql)].join(
      ' and ',
    ),
    bindings: Object.assign({}, ...parts.map((condition) => condition.bindings)),
  };
}
