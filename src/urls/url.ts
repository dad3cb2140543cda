/** The status codes that a redirect can have. */
export const redirectStatuses = [301, 302, 307, 308] as const;

/** The settings of a short URL. */
export interface UrlSettings {
  isActive: boolean;
  /** Before it, visitors get 404. */
  startsAt: Date | null;
  expiresAt: Date | null;
  /** The click limit. */
  maxClicks: number | null;
  /** The first visitor who confirms on its interstitial page uses it up. */
  isOneTime: boolean;
  passwordHash: string | null;
  /** Where it redirects once it has expired or has reached its click limit. */
  fallbackUrl: string | null;
  /** One of redirectStatuses; null for the service's default. */
  redirectStatus: number | null;
  redirectMaxAgeSeconds: number | null;
  /** Whether the visitor's query is appended to the original URL. */
  forwardQuery: boolean;
  /** Whether search engines may index it. */
  crawlable: boolean;
  title: string | null;
  notes: string | null;
  tags: string[];
}

/** Tags to add to those of a short URL, and to remove from them. */
export interface TagChanges {
  addTags: string[];
  removeTags: string[];
}

/** The settings of a short URL by default. */
export const defaultSettings: UrlSettings = {
  isActive: true,
  startsAt: null,
  expiresAt: null,
  maxClicks: null,
  isOneTime: false,
  passwordHash: null,
  fallbackUrl: null,
  redirectStatus: null,
  redirectMaxAgeSeconds: null,
  forwardQuery: false,
  crawlable: false,
  title: null,
  notes: null,
  tags: [],
};

/** A row of `urls`. */
export interface ShortUrl extends UrlSettings {
  id: number;
  shortCode: string;
  originalUrl: string;
  createdAt: Date;
  updatedAt: Date;
  /** The API key that created it; null if another program inserted it. */
  createdBy: number | null;
  version: number;
  /** Former codes that still redirect, oldest first; undefined if they were not read. */
  aliases?: string[];
}

/** A row that may be deleted but not purged yet. */
export interface StoredUrl extends ShortUrl {
  isDeleted: boolean;
  /** Whether the clean-up has disabled it after its expiry. */
  hasEnded: boolean;
}

/** A short URL with its counters. */
export interface ShortUrlWithClicks extends ShortUrl {
  clickCount: number;
  lastAccessedAt: Date | null;
}

/** The code is unknown, or its short URL is deleted or disabled. */
export class UrlNotFound extends Error {
  override readonly name = 'UrlNotFound';
}

/** The short URL has expired. */
export class UrlExpired extends Error {
  override readonly name = 'UrlExpired';
  /** Where it redirects instead. */
  readonly fallbackUrl: string | null;

  constructor(message: string, fallbackUrl: string | null = null) {
    super(message);
    this.fallbackUrl = fallbackUrl;
  }
}

/** The short URL leads to a blocked host. */
export class UrlBlocked extends Error {
  override readonly name = 'UrlBlocked';
}

/** The short URL's version is none of those that a change is meant for. */
export class VersionMismatch extends Error {
  override readonly name = 'VersionMismatch';
  /** The current version. */
  readonly version: number;

  constructor(version: number) {
    super(`the short URL has version ${version}`);
    this.version = version;
  }
}

/** The short URL has reached its click limit. */
export class UrlExhausted extends Error {
  override readonly name = 'UrlExhausted';
  /** Where it redirects instead. */
  readonly fallbackUrl: string | null;

  constructor(fallbackUrl: string | null) {
    super('the short URL has reached its click limit');
    this.fallbackUrl = fallbackUrl;
  }
}

/** The code belongs to another short URL, or is reserved for another API key. */
export class CodeTaken extends Error {
  override readonly name = 'CodeTaken';
}

/** The code belongs to a deleted short URL that the API key may restore. */
export class CodeDeleted extends Error {
  override readonly name = 'CodeDeleted';
  readonly shortCode: string;
  readonly deletedAt: Date;
  /** The earliest time at which the clean-up purges it. */
  readonly purgedAt: Date;
  /** Whether the API key created it, and therefore may purge it. */
  readonly isOwn: boolean;
  /** Whether the same request may overwrite and restore it. */
  readonly isReplaceable: boolean;

  constructor(deleted: {
    shortCode: string;
    deletedAt: Date;
    purgedAt: Date;
    isOwn: boolean;
    isReplaceable: boolean;
  }) {
    super(`the code ${deleted.shortCode} belongs to a deleted short URL`);
    this.shortCode = deleted.shortCode;
    this.deletedAt = deleted.deletedAt;
    this.purgedAt = deleted.purgedAt;
    this.isOwn = deleted.isOwn;
    this.isReplaceable = deleted.isReplaceable;
  }
}

/** The short URL was created by another API key, so this one may not purge it. */
export class PurgeNotAllowed extends Error {
  override readonly name = 'PurgeNotAllowed';
}
