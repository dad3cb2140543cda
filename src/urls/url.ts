/** What its owner decides about a short URL besides where it leads. */
export interface UrlSettings {
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
  /** 301, 302, 307 or 308; null for what the service usually answers. */
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
  isActive: boolean;
  version: number;
}

/** A short URL as the table has it, where one that was deleted stays for a while. */
export interface StoredUrl extends ShortUrl {
  isDeleted: boolean;
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

/** The table has too many look-ups waiting; the same request may do well in a moment. */
export class Overloaded extends Error {
  override readonly name = 'Overloaded';
}
