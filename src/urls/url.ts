/** With which a redirect may be answered. */
export const redirectStatuses = [301, 302, 307, 308] as const;

/** What its owner decides about a short URL besides where it leads. */
export interface UrlSettings {
  isActive: boolean;
  /** Before it, the code is unknown to visitors. */
  startsAt: Date | null;
  expiresAt: Date | null;
  /** Redirects that it is good for. */
  maxClicks: number | null;
  /** It is used up by the one visitor who asks for it on its page. */
  isOneTime: boolean;
  passwordHash: string | null;
  /** Where it leads once it has expired or is used up. */
  fallbackUrl: string | null;
  /** One of redirectStatuses; null for what the service usually answers. */
  redirectStatus: number | null;
  redirectMaxAgeSeconds: number | null;
  /** Whether the visitor's query is added to the original URL. */
  forwardQuery: boolean;
  /** Whether search engines may list it. */
  crawlable: boolean;
  title: string | null;
  notes: string | null;
  tags: string[];
}

/** What holds for a short URL about which nothing was decided. */
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

/** A row of `urls`, as the domain speaks of it. */
export interface ShortUrl extends UrlSettings {
  id: number;
  shortCode: string;
  originalUrl: string;
  createdAt: Date;
  updatedAt: Date;
  /** The API key that it was created with; null for what another program inserted. */
  createdBy: number | null;
  version: number;
  /** Old codes that redirect like the current one, the oldest first; undefined where they were not read. */
  aliases?: string[];
}

/** A short URL as the table has it, where one that was deleted stays for a while. */
export interface StoredUrl extends ShortUrl {
  isDeleted: boolean;
  /** Whether the clean-up has disabled it, since its time was over. */
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

/** The short URL's time is over. */
export class UrlExpired extends Error {
  override readonly name = 'UrlExpired';
  /** Where it leads instead. */
  readonly fallbackUrl: string | null;

  constructor(message: string, fallbackUrl: string | null = null) {
    super(message);
    this.fallbackUrl = fallbackUrl;
  }
}

/** The short URL leads to a host that is blocked. */
export class UrlBlocked extends Error {
  override readonly name = 'UrlBlocked';
}

/** The short URL has another version than those that a change was meant for. */
export class VersionMismatch extends Error {
  override readonly name = 'VersionMismatch';
  /** The one that it has. */
  readonly version: number;

  constructor(version: number) {
    super(`the short URL has version ${version}`);
    this.version = version;
  }
}

/** The short URL has been used as often as it may be. */
export class UrlExhausted extends Error {
  override readonly name = 'UrlExhausted';
  /** Where it leads instead. */
  readonly fallbackUrl: string | null;

  constructor(fallbackUrl: string | null) {
    super('the short URL is used up');
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
  /** When the clean-up purges it. */
  readonly purgedAt: Date;
  /** Whether the API key created it, and so may purge it. */
  readonly isOwn: boolean;
  /** Whether the same request may restore it as the wanted one. */
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

/** Another API key created the short URL, so this one may not purge it. */
export class PurgeNotAllowed extends Error {
  override readonly name = 'PurgeNotAllowed';
}
